"""The obvious mistakes of a declaration are named, with what to declare instead; where there is none, nothing is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tenfold.trainer.importing.mistakes import Mistake, find_mistakes
from tenfold.trainer.input_spec import InputSpec

RANDOM = np.random.default_rng(5)
CLASSES = tuple("abcde")
SPEC = InputSpec("none", 8, 8, 3)
LABELS = RANDOM.integers(0, len(CLASSES), 400)
PATTERNS = RANDOM.integers(0, 256, (len(CLASSES), 8, 8, 3))
IMAGES = np.clip(PATTERNS[LABELS] + RANDOM.normal(0, 20, (400, 8, 8, 3)), 0, 255).astype(np.uint8)


def network(images: Any, spec: InputSpec) -> Any:
    """Answers with the nearest pattern, where it's called as it was trained: upright, with pixels in 0–1."""
    seen = spec.scaled(spec.oriented(images).astype(np.float32))
    distances = ((seen[:, None] - PATTERNS[None] / 255) ** 2).mean(axis=(2, 3, 4))
    near = np.exp(distances.min(axis=1, keepdims=True) - distances)
    return near / near.sum(axis=1, keepdims=True)


def found(
    spec: InputSpec = SPEC, images: Any = IMAGES, labels: Any = LABELS, otherwise: Mapping[str, Any] | None = None
) -> list[Mistake]:
    return find_mistakes(network, spec, CLASSES, images, labels, otherwise or {})


def test_a_right_declaration_has_no_mistakes() -> None:
    assert found() == []


def test_inverted_polarity_is_named() -> None:
    [first, *_] = found(images=255 - IMAGES)
    assert first.kind == "polarity"
    assert first.message.startswith("100.0 % right with inverted polarity, ")
    assert "as declared: is the polarity wrong?" in first.message


def test_transposed_orientation_is_named() -> None:
    [first, *_] = found(images=IMAGES.swapaxes(1, 2))
    assert (first.kind, first.accuracy) == ("orientation", 1.0)
    assert "Import it with orientation transposed" in first.message


@pytest.mark.parametrize("declared", ["0-255", "-1-1"])
def test_another_scaling_is_named(declared: Any) -> None:
    def bright(images: Any, spec: InputSpec) -> Any:
        """As `network`, but lost where the pixels are not in 0–1."""
        return network(images, spec) if spec.scaling == "0-1" else np.full((len(images), 5), 0.2)

    [first, *_] = find_mistakes(bright, replace(SPEC, scaling=declared), CLASSES, IMAGES, LABELS, {})
    assert first.kind == "scaling"
    assert "Import it with scaling 0-1" in first.message


def test_another_preprocessing_is_named() -> None:
    noise = RANDOM.integers(0, 256, IMAGES.shape, np.uint8)
    [first] = found(images=noise, otherwise={"resize": IMAGES})
    assert first.kind == "preprocessing"
    assert "Import it with preprocessing resize" in first.message


def test_bgr_instead_of_rgb_is_named() -> None:
    [first, *_] = found(images=IMAGES[..., ::-1])
    assert first.kind == "channels"
    assert "BGR instead of RGB" in first.message


@pytest.mark.parametrize("shift", [1, -1])
def test_classes_that_are_off_by_one_are_named_in_their_order(shift: int) -> None:
    [first] = found(labels=(LABELS + shift) % 5)
    assert first.kind == "classes"
    order = ",".join(CLASSES[(index + shift) % 5] for index in range(5))
    assert f"Import it with classes {order}" in first.message


def test_classes_in_another_order_are_named_in_their_order() -> None:
    order = np.array([2, 0, 1, 4, 3])
    [first] = found(labels=order[LABELS])
    assert "permuted classes" in first.message
    assert "Import it with classes c,a,b,e,d" in first.message


def test_a_network_that_knows_nothing_is_not_explained_by_chance() -> None:
    assert found(labels=RANDOM.permutation(LABELS)) == []
