"""Writes an ONNX network again as `model.onnx`, with Tenfold's input and output around it."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.trainer.errors import ModelRefused, PackageMissing
from tenfold.trainer.importing.outputs import ONNX, SUMMARY, check_classes, looks_like_probabilities, random_images
from tenfold.trainer.input_spec import InputSpec

try:
    import onnx
    import onnxruntime
except ImportError as error:
    raise PackageMissing(
        f"An ONNX model needs the packages onnx and onnxruntime, which can't be imported ({error}): "
        "pip install 'tenfold[exports]'"
    ) from error

from tenfold.trainer.importing.layouts import layout_for
from tenfold.trainer.importing.onnx_adapters import adapted, input_of, output_of
from tenfold.trainer.importing.onnx_files import open_onnx
from tenfold.trainer.serving.onnx_network import OnnxNetwork

OUTPUTS = {"Softmax": "probabilities", "Sigmoid": "scores", "LogSoftmax": "logits"}
TRIED = 4


def write_onnx(
    path: Path, savedmodel: bool, spec: InputSpec, declared: int | None, work: Path, max_bytes: int
) -> dict[str, Any]:
    """Open the file, write `model.onnx` and `summary.txt` into `work`, and describe the network as `Opened` does.

    Raises:
        ModelRefused: the file or the declaration is wrong.
        PackageMissing: a package for it is not installed.
    """
    if savedmodel:
        from tenfold.trainer.importing.savedmodels import open_savedmodel

        model = open_savedmodel(path, work, max_bytes)
    else:
        model = open_onnx(path)
    _, (batch, *taken), _ = _image(input_of(model))
    layout = layout_for(spec, taken)
    _, given = output_of(model)
    output = OUTPUTS.get(_last_operator(model))
    target = work / ONNX

    def write(softmax: bool, any_batch: bool, classes: int | None = None) -> OnnxNetwork:
        written = adapted(model, spec.network_shape, layout, classes, softmax=softmax, any_batch=any_batch)
        onnx.save(written, target)
        try:
            return OnnxNetwork(target)
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelRefused(
                "file",
                f"ONNX Runtime {onnxruntime.__version__} can't load the network: {reason} Export it with an opset from "
                "13 to 21.",
            ) from error

    images = spec.scaled(spec.oriented(random_images(spec, TRIED)).astype(np.float32))
    scores = _answers(write(softmax=False, any_batch=False), images)
    any_batch = batch is not None and _same(write(softmax=False, any_batch=True), images, scores)
    classes = check_classes(scores.shape[1] if scores.ndim == 2 and len(given) in (0, 2) else None, declared)
    measured = output is None
    if output is None:
        output = "probabilities" if looks_like_probabilities(scores) else "logits"
    write(softmax=output == "logits", any_batch=any_batch, classes=classes)
    weights = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer if tensor.dims)
    operators = Counter(node.op_type for node in model.graph.node)
    lines = [f"{count:6,} {name}" for name, count in operators.most_common()]
    (work / SUMMARY).write_text("\n".join(["Operators of the ONNX network:", *lines]) + "\n", encoding="utf-8")
    return {
        "file": ONNX,
        "shape": layout.network,
        "layout": layout.name,
        "classes": classes,
        "output": output,
        "measured": measured,
        "batch": None if any_batch else batch,
        "parameter_count": weights,
        "versions": {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "numpy": np.__version__},
    }


def _image(taken: tuple[str, tuple[int | None, ...], int]) -> tuple[str, tuple[int | None, ...], int]:
    if not taken[1]:
        raise ModelRefused("input", "The network's input has no shape. Export it with the shape of the image.")
    return taken


def _last_operator(model: Any) -> str:
    """The operator that gives the output, before those that leave its values as they are."""
    makers = {output: node for node in model.graph.node for output in node.output}
    node = makers.get(model.graph.output[0].name)
    while node is not None and node.op_type in ("Identity", "Cast", "Flatten", "Reshape", "Squeeze"):
        node = makers.get(node.input[0])
    return node.op_type if node is not None else ""


def _answers(network: OnnxNetwork, images: Any) -> Any:
    try:
        return network.predict_on_batch(images)
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelRefused("file", f"The network can't classify images: {reason} Export it again.") from error


def _same(network: OnnxNetwork, images: Any, expected: Any) -> bool:
    """Whether the network answers alike when it gets the images together."""
    try:
        scores = network.predict_on_batch(images)
    except Exception:
        return False
    return scores.shape == expected.shape and bool(np.allclose(scores, expected, rtol=1e-4, atol=1e-5))
