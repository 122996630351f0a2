"""How unlike an image is to the training images of its predicted class: what no class fits gets an answer too.

Of each class the mean and the main directions in which its images differ from that are learned (principal components).
An image is compared with the class that the model takes it for: the novelty is the length of what those directions
leave of it. Of the lines of a box, of another letter's strokes or of noise nearly all is left, of a digit of another
hand little. `benchmarks/novelty.py` compares this with other scores, and docs/novelty.md has what came of it.

It looks at the picture and the answer only, so it serves any net, and several together.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.prototypes import Prototypes

Values = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer]

# Directions of a class, chosen by what they tell apart on MNIST and Fashion-MNIST, of 20, 40, 60 and 80; of many
# classes each has fewer, so that the file stays at a few MB. A class of few images has some that are chance: one
# for every 4 images is the most.
COMPONENTS = 40
MOST_COMPONENTS = 2000
IMAGES_PER_COMPONENT = 4

IMAGES_PER_CLASS = 2000
BATCH = 4096

# Of N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", 2011: directions more than asked, and
# how often the images are multiplied by what was found.
SPARE, ROUNDS = 10, 4

# So that nothing is divided by 0: the limit of a detector that knows all images.
EPSILON = 1e-6

# Of the held-out images this share scores at most 1.
FAMILIAR_SHARE = 0.995


class Detector(Protocol):
    """What tells how novel images are."""

    def score(self, images: Bytes, predicted: Labels) -> Values:
        """(n,) float32 from 0 for (n, 28, 28) uint8 images and their (n,) predicted class indices.

        Above 1 an image is unlike all that the model learned its class from.
        """


@dataclass(frozen=True)
class NoveltyDetector:
    """`means` (classes, pixels) float32 in 0–1 and `directions` (classes, pixels, k) of length 1, or 0 where unused.

    `limit` is the length that scores 1, of what is left of an image, in 0–1 a pixel, without its class's mean and
    directions.
    """

    means: Values
    directions: Values
    limit: float

    def save(self, path: Path) -> None:
        np.savez_compressed(path, means=self.means, directions=self.directions.astype(np.float16), limit=self.limit)

    def score(self, images: Bytes, predicted: Labels) -> Values:
        """See `Detector`."""
        scores = np.zeros(len(images), np.float32)
        for start in range(0, len(images), BATCH):
            batch = slice(start, start + BATCH)
            scores[batch] = self._left_over(images[batch], predicted[batch]) / self.limit
        return scores

    def _left_over(self, images: Bytes, predicted: Labels) -> Values:
        lengths = np.zeros(len(images), np.float32)
        for label in np.unique(predicted):
            places = np.flatnonzero(predicted == label)
            apart = _flat(images[places]) - self.means[label]
            explained = apart @ self.directions[label]
            squares = np.einsum("ij,ij->i", apart, apart) - np.einsum("ij,ij->i", explained, explained)
            lengths[places] = np.sqrt(np.maximum(squares, 0))
        return lengths


def load_novelty(path: Path) -> Detector:
    """The detector that `save` wrote, in this release or an earlier one."""
    with np.load(path) as saved:
        if "prototypes" in saved:
            return Prototypes(saved["prototypes"], float(saved["limit"]))
        return NoveltyDetector(saved["means"], saved["directions"].astype(np.float32), float(saved["limit"]))


def fit_novelty(
    images: Bytes, labels: Bytes, held_out: Bytes, predicted: Labels, *, classes: int, seed: int
) -> NoveltyDetector:
    """Learn what is familiar. Takes the memory of some thousand images, however many there are.

    Args:
        images: (n, 28, 28) uint8 of the training, with their (n,) class indices.
        held_out: (m, 28, 28) uint8 of the same kind that the model did not learn from.
        predicted: (m,) the classes that the model takes these for.
        classes: how many the model knows. To one without training images nearly all are unlike.
    """
    random = np.random.default_rng(seed)
    most = max(1, min(COMPONENTS, MOST_COMPONENTS // classes))
    means, directions = zip(*_of_each_class(images, labels, classes, most, random), strict=True)
    unscaled = NoveltyDetector(np.stack(means), np.stack(directions), limit=1.0)
    limit = float(np.quantile(unscaled.score(held_out, predicted), FAMILIAR_SHARE))
    return NoveltyDetector(unscaled.means, unscaled.directions, max(limit, EPSILON))


def _of_each_class(
    images: Bytes, labels: Bytes, classes: int, most: int, random: np.random.Generator
) -> Iterator[tuple[Values, Values]]:
    pixels = math.prod(images.shape[1:])
    for label in range(classes):
        of_class = random.permutation(np.flatnonzero(labels == label))[:IMAGES_PER_CLASS]
        points = _flat(images[of_class])
        mean = points.mean(axis=0) if len(points) else np.zeros(pixels, np.float32)
        directions = np.zeros((pixels, most), np.float32)
        count = min(most, len(points) // IMAGES_PER_COMPONENT)
        directions[:, :count] = _main_directions(points - mean, count, random)
        # As they are when they have been saved.
        yield mean, directions.astype(np.float16).astype(np.float32)


def _main_directions(apart: Values, count: int, random: np.random.Generator) -> Values:
    """(pixels, count): the directions in which these (n, pixels) vary most, by subspace iteration."""
    found = random.standard_normal((apart.shape[1], count + SPARE), np.float32)
    for _ in range(ROUNDS):
        found = np.linalg.qr(apart.T @ (apart @ found))[0]
    _, turned = np.linalg.eigh(found.T @ (apart.T @ (apart @ found)))
    return np.asarray((found @ turned)[:, ::-1][:, :count], np.float32)


def _flat(images: Bytes) -> Values:
    flat = images.reshape(len(images), math.prod(images.shape[1:]))
    return np.asarray(flat / np.float32(255), np.float32)
