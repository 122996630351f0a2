"""Finds test images that are also training images, pixel for pixel or nearly so: saved again, resized, lightened."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset

# Two different images have the same digest with a chance of 1 in 10^19.
DIGEST_BYTES = 8

# The least correlation of two images' pixels to be near-duplicates. Of MNIST's 10,000 test images one reaches it with a
# training image, of those that were saved again as JPEG (quality 75) or lightened all: docs/how-to/own-data-set.md.
NEAR = 0.99

# Sides to which images are averaged before the exact comparison.
COARSE = 7

# Test images compared with all training images at a time.
BLOCK = 250

# Above what the float32 product is off by.
ROUNDING = 1e-4

# Pairs compared: 60,000 training with 10,000 test images take some 6 seconds of a processor core, these ten times that.
MAX_PAIRS = 6_000_000_000


# Pairs listed in a report.
MAX_LISTED = 60


@dataclass(frozen=True)
class Duplicate:
    """A test image and the training image that is most similar to it; `correlation` (up to 1) of their pixels."""

    test_image: int
    train_image: int
    correlation: float


def digests(images: Bytes) -> list[bytes]:
    """The digest of each image's pixels; images (n, …) uint8."""
    return [blake2b(image.tobytes(), digest_size=DIGEST_BYTES).digest() for image in images]


@dataclass(frozen=True)
class Duplicates:
    """Test images that are also training images, and those that nearly are; `compared` counts the test images that
    were looked at for the latter."""

    exact: Sequence[Duplicate]
    near: Sequence[Duplicate]
    compared: int

    def pairs(self, dataset: Dataset) -> list[dict[str, Any]]:
        """The first pairs as JSON, those with different labels first."""
        pairs = [
            asdict(pair)
            | {
                "test_label": dataset.class_names[dataset.test_labels[pair.test_image]],
                "train_label": dataset.class_names[dataset.train_labels[pair.train_image]],
            }
            for pair in [*self.exact, *self.near]
        ]
        return sorted(pairs, key=lambda pair: pair["test_label"] == pair["train_label"])[:MAX_LISTED]

    def note(self, test: int) -> str:
        """A sentence on near-duplicates; empty if there are none. `test` is the number of test images."""
        of = "" if self.compared == test else f" of the {self.compared:,} that were compared"
        if not self.near:
            return "" if self.compared == test else f"No near-duplicates were found{of} test images."
        return (
            f"Test images that are nearly a training image (pixels correlate by {NEAR} or more, as after saving it "
            f"again): {len(self.near):,}{of}. The page of the data set shows them."
        )


def duplicates_across_split(dataset: Dataset, check: Callable[[], None] = lambda: None) -> Duplicates:
    """The test images that are also training images, and those that nearly are.

    Of large data sets only as many test images are looked at for the latter, evenly spaced, as `MAX_PAIRS` allows.
    """
    train, test = dataset.train_images, dataset.test_images
    exact = find_duplicates(train, test)
    others = np.setdiff1d(np.arange(len(test)), [pair.test_image for pair in exact])
    most = max(1, MAX_PAIRS // max(1, len(train)))
    if len(others) > most:
        others = others[np.linspace(0, len(others), most, endpoint=False).astype(np.int64)]
    near = find_near_duplicates(train, test[others], check=check) if len(train) else []
    found = [replace(pair, test_image=int(others[pair.test_image])) for pair in near]
    return Duplicates(exact, found, len(exact) + len(others))


def find_duplicates(train: Bytes, test: Bytes) -> list[Duplicate]:
    """The test images that have the same pixels as a training image, each with the first such."""
    first: dict[bytes, int] = {}
    for index, digest in enumerate(digests(train)):
        first.setdefault(digest, index)
    return [Duplicate(i, first[digest], 1.0) for i, digest in enumerate(digests(test)) if digest in first]


def find_near_duplicates(
    train: Bytes, test: Bytes, near: float = NEAR, check: Callable[[], None] = lambda: None
) -> list[Duplicate]:
    """The test images whose pixels correlate with a training image's by at least `near`, each with the most similar.

    Correlation ignores brightness and contrast. Two normalized images are no closer than their averages over blocks
    of pixels (Jensen's inequality), so these rule out nearly all pairs, and no pair that counts.

    Args:
        train: (n, h, w) or (n, h, w, 3) uint8; test: (m, …) likewise.
        check: called now and then; may raise to stop.
    """
    known = _averages(train, check)
    # The product of these with `block` is half the negative squared distance.
    known = np.column_stack([known, -0.5 * (known**2).sum(axis=1), np.full(len(known), -0.5, np.float32)])
    found = []
    for start in range(0, len(test), BLOCK):
        check()
        block = _averages(test[start : start + BLOCK], check)
        block = np.column_stack([block, np.ones(len(block), np.float32), (block**2).sum(axis=1)])
        rows, columns = np.nonzero(block @ known.T >= near - 1 - ROUNDING)
        for row in np.unique(rows):
            candidates = columns[rows == row]
            correlations = _normalized(train[candidates]) @ _normalized(test[start + row][None])[0]
            best = int(correlations.argmax())
            if correlations[best] >= near:
                found.append(Duplicate(start + int(row), int(candidates[best]), round(float(correlations[best]), 4)))
    return found


def _normalized(images: Bytes) -> npt.NDArray[np.float32]:
    """Images as vectors of mean 0 and length 1; of length 0 where all pixels are equal."""
    values = images.reshape(len(images), -1).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    return values


def _averages(images: Bytes, check: Callable[[], None]) -> npt.NDArray[np.float32]:
    """Block averages of normalized images, scaled so that distances are at most those of the images."""
    height, width = images.shape[1:3]
    rows, columns = _bounds(height), _bounds(width)
    sizes = np.diff([*rows, height])[:, None] * np.diff([*columns, width])
    made = []
    for start in range(0, len(images), BLOCK):
        check()
        part = images[start : start + BLOCK]
        values = _normalized(part).reshape(part.shape)
        sums = np.add.reduceat(np.add.reduceat(values, rows, axis=1), columns, axis=2)
        scale = np.sqrt(sizes).reshape(*sizes.shape, *[1] * (values.ndim - 3))
        made.append((sums / scale).reshape(len(part), -1))
    return np.concatenate(made) if made else np.zeros((0, 1), np.float32)


def _bounds(side: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, side, min(side, COARSE), endpoint=False).astype(np.int64)
