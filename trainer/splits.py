"""Which images a training learns from, and on which it is validated."""

from dataclasses import dataclass

import numpy as np

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
    """What the plan's validation makes of the data set; a split is drawn at random, as the seed says."""
    images, labels = dataset.train_images, dataset.train_labels
    if plan.validation == "none":
        return Split(images, labels)
    if plan.validation == "test":
        return Split(images, labels, dataset.test_images, dataset.test_labels)
    held_out = np.zeros(len(labels), bool)
    count = max(1, round(len(labels) * plan.validation_split))
    held_out[np.random.default_rng(seed).permutation(len(labels))[:count]] = True
    return Split(images[~held_out], labels[~held_out], images[held_out], labels[held_out])
