"""Writes a Keras model again as `model.keras`, with Tenfold's input and output around it."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.importing.keras_files import open_h5, open_keras
from tenfold.trainer.importing.layouts import Layout, layout_for
from tenfold.trainer.importing.outputs import (
    KERAS,
    SUMMARY,
    check_classes,
    looks_like_probabilities,
    random_images,
)
from tenfold.trainer.input_spec import InputSpec

OUTPUTS = {"softmax": "probabilities", "sigmoid": "scores"}
TRIED = 16


def write_keras(
    path: Path, legacy: bool, spec: InputSpec, declared: int | None, work: Path, max_bytes: int
) -> dict[str, Any]:
    """Open the file, write `model.keras` and `summary.txt` into `work`, and describe the network as `Opened` does.

    Raises:
        ModelRefused: the file or the declaration is wrong.
    """
    if legacy:
        named = work / "upload.h5"  # Keras tells formats by the suffix
        named.symlink_to(path)
        model = open_h5(named)
    else:
        model = open_keras(path, work, max_bytes)
    taken = _input(model)
    layout = layout_for(spec, taken)
    if len(model.outputs) != 1:
        raise ModelRefused(
            "classes", f"The network has {len(model.outputs)} outputs; it must have one, with a score for each class."
        )
    shape = tuple(model.output_shape)
    classes = check_classes(shape[1] if len(shape) == 2 else None, declared)
    output = _declared_output(model)
    written = _adapted(model, spec, layout, softmax=False)
    measured = output is None
    if output is None:
        scores = _answers(written, spec)
        output = "probabilities" if looks_like_probabilities(scores) else "logits"
    if output == "logits":
        written = _adapted(model, spec, layout, softmax=True)
    written.save(work / KERAS)
    lines: list[str] = []
    written.summary(print_fn=lines.append)
    (work / SUMMARY).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "file": KERAS,
        "shape": layout.network,
        "layout": layout.name,
        "classes": classes,
        "output": output,
        "measured": measured,
        "batch": None,
        "parameter_count": int(model.count_params()),
        "versions": {"keras": keras.__version__, "numpy": np.__version__},
    }


def _input(model: keras.Model) -> tuple[int | None, ...]:
    """The shape of one image, as the model takes it."""
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1:
        raise ModelRefused(
            "input",
            f"The network has {len(inputs)} inputs; it must have one, for the image."
            if inputs
            else "The network doesn't say what it takes: build it with keras.Input(shape), and save it again.",
        )
    (image,) = inputs
    if not str(image.dtype).startswith(("float", "bfloat")):
        raise ModelRefused("input", f"The network's input is of type {image.dtype}; build it with a float32 input.")
    batch, *shape = image.shape
    if batch is not None:
        raise ModelRefused("input", f"The network takes {batch} images at a time; build it with any number (None).")
    return tuple(shape)


def _declared_output(model: keras.Model) -> Any:
    """What the last layer says of the output; None if nothing."""
    last = model.layers[-1]
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return "probabilities"
    activation = getattr(last, "activation", None)
    return OUTPUTS.get(getattr(activation, "__name__", ""))


def _adapted(model: keras.Model, spec: InputSpec, layout: Layout, *, softmax: bool) -> keras.Model:
    """The model as Tenfold calls it; the model itself, if nothing has to change."""
    layers: list[keras.Layer] = []
    if layout.transposed:
        layers.append(keras.layers.Permute([axis + 1 for axis in layout.transposed], name="tenfold_axes"))
    if layout.network != spec.network_shape and not layout.transposed:
        layers.append(keras.layers.Reshape(layout.network, name="tenfold_shape"))
    if not layers and not softmax:
        return model
    layers += model.layers if isinstance(model, keras.Sequential) else [model]
    if softmax:
        layers.append(keras.layers.Softmax(dtype="float32", name="tenfold_softmax"))
    return keras.Sequential([keras.Input(spec.network_shape, name="images"), *layers], name="imported")


def _answers(model: keras.Model, spec: InputSpec) -> Any:
    images = spec.scaled(spec.oriented(random_images(spec, TRIED)).astype(np.float32))
    try:
        return np.asarray(model.predict_on_batch(images), np.float32)
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelRefused("file", f"The network can't classify images: {reason} Export it for processors.") from error
