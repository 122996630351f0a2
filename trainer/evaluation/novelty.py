"""Measures how much an image differs from the training images of its predicted class (out-of-distribution detection).

For each class, the mean and the principal components of its training images are stored. The novelty of an image is the
length of the part that its predicted class's mean and components do not explain: large for lines of a box, letters or
noise, small for a digit in another handwriting. Images with more than 32 pixels a side are shrunk for it.
`benchmarks/novelty.py` compares this with other scores; the results are in docs/benchmarks/novelty.md.

It needs only the image and the answer, so it works with any network and with ensembles.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes, Labels

Values = npt.NDArray[np.float32]

# Components of a class: of 20, 40, 60 and 80 the best on MNIST and Fashion-MNIST. With many classes each has fewer, so
# that the file stays at a few MB. Components of a class with few images are noise: at most one for every 4 images.
COMPONENTS = 40
MAX_COMPONENTS = 2000
IMAGES_PER_COMPONENT = 4

IMAGES_PER_CLASS = 2000
MAX_SIDE = 32
BATCH = 4096

# N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", 2011: extra components and power
# iterations.
OVERSAMPLING, ITERATIONS = 10, 4

# Avoids division by 0 if all held-out images are explained.
EPSILON = 1e-6

# This share of the held-out images scores at most 1.
FAMILIAR_SHARE = 0.995


@dataclass(frozen=True)
class NoveltyDetector:
    """What `fit_novelty` learned.

    `means` (classes, pixels) float32 in 0–1 and `directions` (classes, pixels, k) of length 1, or 0 if unused.
    `limit` is the length of an image's unexplained part, with pixels in 0–1, that scores 1.
    """

    means: Values
    directions: Values
    limit: float

    def save(self, path: Path) -> None:
        np.savez_compressed(path, means=self.means, directions=self.directions.astype(np.float16), limit=self.limit)

    def score(self, images: Bytes, predicted: Labels) -> Values:
        """(n,) float32 from 0 for images (n, h, w) or (n, h, w, 3) uint8 and their (n,) predicted class indices.

        Above 1, an image is out of distribution: it resembles none of its predicted class's training images.
        """
        scores = np.zeros(len(images), np.float32)
        for start in range(0, len(images), BATCH):
            batch = slice(start, start + BATCH)
            scores[batch] = self._unexplained(images[batch], predicted[batch]) / self.limit
        return scores

    def _unexplained(self, images: Bytes, predicted: Labels) -> Values:
        lengths = np.zeros(len(images), np.float32)
        for label in np.unique(predicted):
            places = np.flatnonzero(predicted == label)
            apart = _flat(images[places]) - self.means[label]
            explained = apart @ self.directions[label]
            squares = np.einsum("ij,ij->i", apart, apart) - np.einsum("ij,ij->i", explained, explained)
            lengths[places] = np.sqrt(np.maximum(squares, 0))
        return lengths


def load_novelty(path: Path) -> NoveltyDetector | None:
    """Read what `save` wrote; None for the prototypes of an early 0.1."""
    with np.load(path) as saved:
        if "means" not in saved:
            return None
        return NoveltyDetector(saved["means"], saved["directions"].astype(np.float32), float(saved["limit"]))


def fit_novelty(
    images: Bytes, labels: Labels, held_out: Bytes, predicted: Labels, *, classes: int, seed: int
) -> NoveltyDetector:
    """Learn the training images. Memory does not grow with their number.

    Args:
        images: (n, h, w) or (n, h, w, 3) uint8 training images.
        labels: (n,) their class indices.
        held_out: (m, …) uint8 of the same kind, not used for training.
        predicted: (m,) the classes that the model predicts for these.
        classes: how many classes the model has. For one without training images nearly every image is novel.
    """
    random = np.random.default_rng(seed)
    most = max(1, min(COMPONENTS, MAX_COMPONENTS // classes))
    means, directions = zip(*_of_each_class(images, labels, classes, most, random), strict=True)
    unscaled = NoveltyDetector(np.stack(means), np.stack(directions), limit=1.0)
    limit = float(np.quantile(unscaled.score(held_out, predicted), FAMILIAR_SHARE))
    return NoveltyDetector(unscaled.means, unscaled.directions, max(limit, EPSILON))


def _of_each_class(
    images: Bytes, labels: Labels, classes: int, most: int, random: np.random.Generator
) -> Iterator[tuple[Values, Values]]:
    pixels = _flat(images[:1]).shape[1]
    for label in range(classes):
        of_class = random.permutation(np.flatnonzero(labels == label))[:IMAGES_PER_CLASS]
        points = _flat(images[of_class])
        mean = points.mean(axis=0) if len(points) else np.zeros(pixels, np.float32)
        directions = np.zeros((pixels, most), np.float32)
        count = min(most, len(points) // IMAGES_PER_COMPONENT)
        directions[:, :count] = _main_directions(points - mean, count, random)
        # Rounded as in the file.
        yield mean, directions.astype(np.float16).astype(np.float32)


def _main_directions(apart: Values, count: int, random: np.random.Generator) -> Values:
    """(pixels, count): the principal components of centered images (n, pixels), by subspace iteration."""
    found = random.standard_normal((apart.shape[1], count + OVERSAMPLING), np.float32)
    for _ in range(ITERATIONS):
        found = np.linalg.qr(apart.T @ (apart @ found))[0]
    _, turned = np.linalg.eigh(found.T @ (apart.T @ (apart @ found)))
    return np.asarray((found @ turned)[:, ::-1][:, :count], np.float32)


def _flat(images: Bytes) -> Values:
    """Images as (n, pixels) in 0–1, after averaging blocks if a side is longer than `MAX_SIDE`."""
    block = -(-max(images.shape[1:3]) // MAX_SIDE)
    scaled = np.asarray(images / np.float32(255), np.float32)
    for axis in (1, 2) if block > 1 else ():
        starts = np.arange(0, scaled.shape[axis], block)
        counts = np.diff([*starts, scaled.shape[axis]]).astype(np.float32)
        sums = np.add.reduceat(scaled, starts, axis=axis)
        scaled = np.asarray(sums / counts.reshape([-1 if at == axis else 1 for at in range(sums.ndim)]), np.float32)
    return scaled.reshape(len(scaled), math.prod(scaled.shape[1:]))
