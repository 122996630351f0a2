"""Exports a trained model to formats that need no Keras, and verifies each export's answers."""

import shutil
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ModelUnfaithful, TrainerError
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.serving.inference import Probabilities, normalized

EXPORTS = ("savedmodel", "onnx", "litert")
TOLERANCE = 1e-4
INPUT = "images"

_NAMES = {"savedmodel": "savedmodel", "onnx": "model.onnx", "litert": "model.tflite"}
_PACKAGES = {"savedmodel": (), "onnx": ("onnx", "tf2onnx", "onnxruntime"), "litert": ("ai_edge_litert",)}
_BATCH = 256

Floats = Probabilities
Scores = Callable[[Floats], Floats]


class ExportUnavailable(TrainerError):
    """This format can't be written: a package or backend is missing."""


def export_model(
    model: keras.Model,
    kind: str,
    directory: Path,
    images: Bytes,
    expected: Probabilities,
    spec: InputSpec = DIGIT,
) -> Path:
    """Write the model in another format, and compare its answers, computed without Keras, with the expected ones.

    The export takes (n, *spec.network_shape) float32 named `images`, scaled as the model's, for any n, and returns the
    model's (n, classes) scores.
    It is moved to its final name, replacing an earlier one, only after it has passed. The model is unchanged. Prints
    nothing on stdout.

    Args:
        model: takes (n, *spec.network_shape) float and returns (n, classes) non-negative scores.
        kind: one of EXPORTS. `savedmodel` is a directory for `tf.saved_model.load` and, as a version of a model
            (`/models/digits/1`), for TensorFlow Serving; `onnx` and `litert` are the files `model.onnx` and
            `model.tflite`.
        directory: exists.
        images: (n, *spec.shape) uint8, n at least 1; a few hundred are enough.
        expected: (n, classes), the model's probabilities for these images; each row sums to 1.
        spec: the model's input.

    Returns:
        The path of the export in `directory`.

    Raises:
        ExportUnavailable: a package of the extra `exports` is missing, or Keras runs on another backend.
        ModelUnfaithful: a probability differs by more than 1e-4; the export is removed.
        ValueError: an unknown kind, or no images to compare on.
    """
    if kind not in EXPORTS:
        raise ValueError(f"Unknown export {kind!r}: choose one of {', '.join(EXPORTS)}.")
    if not len(images):
        raise ValueError("No images to verify the export with: pass at least one.")
    _check_available(kind)
    target = directory / _NAMES[kind]
    with TemporaryDirectory(dir=directory, prefix=".export-") as unchecked:
        written = Path(unchecked) / target.name
        _WRITERS[kind](model, written, spec)
        _check_answers(
            _READERS[kind](written), target.name, spec.scaled(spec.oriented(images).astype(np.float32)), expected
        )
        if target.is_dir():
            shutil.rmtree(target)
        return written.replace(target)


def _check_available(kind: str) -> None:
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ExportUnavailable(
            f"A model on the Keras backend {backend} can't be exported as {kind}: "
            "load its .keras file with KERAS_BACKEND=tensorflow, and export it there."
        )
    for package in _PACKAGES[kind]:
        try:
            import_module(package)
        except ImportError as error:
            raise ExportUnavailable(
                f"The export {kind} needs the package {package}, which can't be imported ({error}): "
                "pip install 'tenfold[exports]'"
            ) from error


def _check_answers(scores: Scores, name: str, scaled: Floats, expected: Probabilities) -> None:
    batches = [scores(scaled[start : start + _BATCH]) for start in range(0, len(scaled), _BATCH)]
    answers = normalized(np.concatenate(batches))
    if answers.shape != expected.shape:
        raise ModelUnfaithful(f"{name} gives scores of shape {answers.shape} instead of {expected.shape}.")
    worst = float(np.abs(answers - expected).max())
    if not worst <= TOLERANCE:  # also true for NaN
        raise ModelUnfaithful(f"{name} differs from the trained model by up to {worst:.2g}.")


def _signature(spec: InputSpec) -> list[keras.InputSpec]:
    return [keras.InputSpec(dtype="float32", shape=(None, *spec.network_shape), name=INPUT)]


def _write_savedmodel(model: keras.Model, path: Path, spec: InputSpec) -> None:
    model.export(path, format="tf_saved_model", verbose=False, input_signature=_signature(spec))


def _write_onnx(model: keras.Model, path: Path, spec: InputSpec) -> None:
    with warnings.catch_warnings():
        # Keras accesses `np.object` when it prepares tf2onnx.
        warnings.simplefilter("ignore", FutureWarning)
        model.export(path, format="onnx", verbose=False, input_signature=_signature(spec))


def _write_litert(model: keras.Model, path: Path, spec: InputSpec) -> None:
    # Keras' default allows TensorFlow operations too, which a plain LiteRT runtime lacks.
    builtins = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    model.export(path, format="litert", verbose=False, input_signature=_signature(spec), target_spec=builtins)


def _read_savedmodel(path: Path) -> Scores:
    loaded = tf.saved_model.load(path)

    def scores(images: Floats) -> Floats:
        # Looked up here: a signature alone does not keep its model's variables in memory.
        serve = loaded.signatures["serving_default"]
        (outputs,) = serve(**{INPUT: tf.constant(images)}).values()
        return np.asarray(outputs)

    return scores


def _read_onnx(path: Path) -> Scores:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def scores(images: Floats) -> Floats:
        (outputs,) = session.run(None, {INPUT: images})
        return np.asarray(outputs)

    return scores


def _read_litert(path: Path) -> Scores:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    (taken,) = interpreter.get_input_details()
    (given,) = interpreter.get_output_details()

    def scores(images: Floats) -> Floats:
        interpreter.resize_tensor_input(taken["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], images)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(given["index"]))

    return scores


_WRITERS = {"savedmodel": _write_savedmodel, "onnx": _write_onnx, "litert": _write_litert}
_READERS = {"savedmodel": _read_savedmodel, "onnx": _read_onnx, "litert": _read_litert}
