"""Exports an imported network to further formats."""

from collections.abc import Sequence
from pathlib import Path

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.importing.outputs import ONNX, random_images
from tenfold.trainer.input_spec import InputSpec
from tenfold.trainer.serving.inference import Classifier, load_keras

IMAGES_COMPARED = 256


def check_exports(file: str, kinds: Sequence[str]) -> None:
    """Refuse formats that the network can't be exported to.

    Raises:
        ModelRefused: it is served as ONNX, and another format was asked for.
    """
    if file == ONNX and (others := [kind for kind in kinds if kind != "onnx"]):
        raise ModelRefused(
            "exports",
            f"A network that came as ONNX or SavedModel is kept as ONNX, and can't be exported as {others[0]}. Import "
            "its Keras file, or leave out that export.",
        )


def export(network: Path, spec: InputSpec, kinds: Sequence[str]) -> None:
    """Write the network in these formats beside its file, and compare their answers to random images with its own.

    Raises:
        ModelUnfaithful: an export answers differently.
        ExportUnavailable: a package that an export needs is missing.
    """
    if not kinds or network.name == ONNX:
        return
    from tenfold.trainer.serving.exports import export_model  # needs TensorFlow, which a worker on JAX may lack

    model, images = load_keras(network), random_images(spec, IMAGES_COMPARED)
    expected = Classifier(model, spec=spec).classify(images)
    for kind in kinds:
        export_model(model, kind, network.parent, images, expected, spec)
