"""Splits a data set into training and validation images, and weighs the classes of what is trained on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.data.datasets import Dataset


@dataclass(frozen=True)
class Split:
    """(n, *input.shape) uint8 images and (n,) class indices to train on, and the same for validation, if any."""

    train_images: Bytes
    train_labels: Labels
    validation_images: Bytes | None = None
    validation_labels: Labels | None = None


def split_for(plan: Plan, dataset: Dataset, seed: int) -> Split:
    """Split the data set as the plan's validation says.

    A validation split is random, by the seed, and has the same share of each class.
    """
    images, labels = dataset.train_images, dataset.train_labels
    if plan.validation == "none":
        return Split(images, labels)
    if plan.validation == "test":
        return Split(images, labels, dataset.test_images, dataset.test_labels)
    held_out = np.zeros(len(labels), bool)
    held_out[_drawn(labels, max(1, round(len(labels) * plan.validation_split)), seed)] = True
    return Split(images[~held_out], labels[~held_out], images[held_out], labels[held_out])


def balanced_weights(labels: Labels) -> npt.NDArray[np.float32]:
    """The weight of each image in the loss that makes all classes count the same: n / (classes · images of its class).

    As scikit-learn's `compute_sample_weight("balanced", labels)`: the mean is 1, and a class without images is none.

    >>> balanced_weights(np.array([0, 0, 0, 2]))
    array([0.6666667, 0.6666667, 0.6666667, 2.       ], dtype=float32)
    """
    counts = np.bincount(labels)
    return (len(labels) / (np.count_nonzero(counts) * counts[labels])).astype(np.float32)


def _drawn(labels: Labels, count: int, seed: int) -> npt.NDArray[np.int64]:
    """The indices of `count` images, with each class in proportion.

    Of the images in random order, sorted by class, every (n / count)-th is taken.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    return by_class[np.arange(count) * len(labels) // count]
