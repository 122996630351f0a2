"""What a network gives for an image, and what an import writes of it."""

from typing import Any

import numpy as np

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.input_spec import InputSpec

# What the network is served as, and its description.
KERAS, ONNX = "model.keras", "model.onnx"
SUMMARY = "summary.txt"


def random_images(spec: InputSpec, count: int) -> Any:
    """(count, *shape) uint8: noise, the first one black and the second white."""
    images = np.random.default_rng(0).integers(0, 256, (count, *spec.shape), np.uint8)
    images[:1], images[1:2] = 0, 255
    return images


def looks_like_probabilities(scores: Any) -> bool:
    """Whether (n, classes) outputs are each in 0–1 and sum to 1, up to rounding."""
    return bool((scores >= -1e-6).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3))


def check_classes(count: int | None, declared: int | None) -> int:
    """The network's number of outputs.

    Raises:
        ModelRefused: it is not the declared number of classes, or no network for classification.
    """
    if count is None or count < 2:
        found = "an unknown number of outputs" if count is None else "one output"
        raise ModelRefused(
            "classes",
            f"The network gives {found} for an image; it must give a score for each of at least two classes, in the "
            "shape (n, classes). Give it an output for each class, and export it again.",
        )
    if declared is not None and declared != count:
        raise ModelRefused(
            "classes",
            f"{declared} classes are declared; the network has {count} outputs. Name {count} classes, in order.",
        )
    return count


def not_finite(name: str) -> ModelRefused:
    return ModelRefused(
        "file",
        f"The weight {name[:200]!r} has values that are NaN or infinite: the training diverged. Save the weights of an "
        "earlier epoch, or train with a lower learning rate.",
    )
