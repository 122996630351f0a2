"""Which images a training learns from, and on which it is validated."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.datasets import Dataset
from trainer.idx import Bytes
from trainer.plans import Plan


@dataclass(frozen=True)
class Split:
    """(n, 28, 28) uint8 images and (n,) class indices to train on, and the same for validation where there is any."""

    train_images: Bytes
    train_labels: Bytes
    validation_images: Bytes | None = None
    validation_labels: Bytes | None = None


def split_for(plan: Plan, dataset: Dataset, seed: int) -> Split:
    """What the plan's validation makes of the data set.

    A split is drawn at random, as the seed says, from each class its share.
    """
    images, labels = dataset.train_images, dataset.train_labels
    if plan.validation == "none":
        return Split(images, labels)
    if plan.validation == "test":
        return Split(images, labels, dataset.test_images, dataset.test_labels)
    held_out = np.zeros(len(labels), bool)
    held_out[_drawn(labels, max(1, round(len(labels) * plan.validation_split)), seed)] = True
    return Split(images[~held_out], labels[~held_out], images[held_out], labels[held_out])


def _drawn(labels: Bytes, count: int, seed: int) -> npt.NDArray[np.int64]:
    """So many places, of each class in proportion.

    The images lie in random order, class after class: one out of every n / count of them is taken.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    return by_class[np.arange(count) * len(labels) // count]
