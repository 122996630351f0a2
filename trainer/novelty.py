"""How unlike all training images an image is: what no class fits gets an answer too, and at times a confident one.

An image is made coarse (7×7) and compared, by the angle between the two, with prototypes: the means that k-means finds
in each class of the training images. It is novel when it is further from all of them than nearly all held-out images.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes

Values = npt.NDArray[np.float32]

SIDE, COARSE_SIDE = 28, 7

# Shared out among the classes. For MNIST's ten chosen by what they tell apart, of 300, 1,000 and 3,000: more cost
# time, and find little more.
PROTOTYPES = 1000
LEAST_PER_CLASS = 10
IMAGES_PER_CLASS = 2000
ROUNDS = 10

# So that nothing is divided by 0: lengths of pictures without ink, and the limit of a detector that knows them all.
EPSILON = 1e-6

# Of the held-out images this share scores at most 1.
FAMILIAR_SHARE = 0.995


@dataclass(frozen=True)
class NoveltyDetector:
    """`prototypes` (n, 49) float32 of length 1; `limit` is the distance, 1 - cosine, that scores 1."""

    prototypes: Values
    limit: float

    @classmethod
    def load(cls, path: Path) -> "NoveltyDetector":
        """The detector that `save` wrote."""
        with np.load(path) as saved:
            return cls(saved["prototypes"], float(saved["limit"]))

    def save(self, path: Path) -> None:
        np.savez_compressed(path, prototypes=self.prototypes, limit=self.limit)

    def score(self, images: Bytes) -> Values:
        """(n,) float32 from 0 for (n, 28, 28) uint8 images; above 1 an image is like none of the training images."""
        return np.asarray(_distances(_coarse(images), self.prototypes) / self.limit, np.float32)


def fit_novelty(images: Bytes, labels: Bytes, held_out: Bytes, seed: int) -> NoveltyDetector:
    """Learn what is familiar.

    Args:
        images: (n, 28, 28) uint8 of the training, with their (n,) class indices.
        held_out: (m, 28, 28) uint8 of the same kind that the model did not learn from.
    """
    random = np.random.default_rng(seed)
    prototypes, classes = [], np.unique(labels)
    for label in classes:
        of_class = random.permutation(np.flatnonzero(labels == label))[:IMAGES_PER_CLASS]
        prototypes.append(_means(_coarse(images[of_class]), max(PROTOTYPES // len(classes), LEAST_PER_CLASS)))
    found = np.concatenate(prototypes)
    limit = float(np.quantile(_distances(_coarse(held_out), found), FAMILIAR_SHARE))
    return NoveltyDetector(found, max(limit, EPSILON))


def _means(points: Values, count: int) -> Values:
    """Spherical k-means; `points` (n, 49) are in random order, so that the first ones are a fair start."""
    means = points[:count]
    for _ in range(ROUNDS):
        nearest = (points @ means.T).argmax(axis=1)
        sums = np.zeros_like(means)
        np.add.at(sums, nearest, points)
        means = np.where(sums.any(axis=1, keepdims=True), _of_length_one(sums), means)
    return means


def _distances(points: Values, prototypes: Values) -> Values:
    return np.asarray(1 - (points @ prototypes.T).max(axis=1), np.float32)


def _coarse(images: Bytes) -> Values:
    """(n, 49) of length 1: the averages of each 4×4 square. The images lie below each other, as one, for OpenCV."""
    if not len(images):
        return np.zeros((0, COARSE_SIDE**2), np.float32)
    strip = images.reshape(-1, SIDE).astype(np.float32)
    averages = cv2.resize(strip, (COARSE_SIDE, len(images) * COARSE_SIDE), interpolation=cv2.INTER_AREA)
    return _of_length_one(np.asarray(averages, np.float32).reshape(-1, COARSE_SIDE**2))


def _of_length_one(points: Values) -> Values:
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), EPSILON), np.float32)
