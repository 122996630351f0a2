"""Parts images into training and test where the file gives no split, and mixes those that came class by class."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes


def split_and_mix(
    images: Sequence[Bytes], labels: Sequence[Bytes], test_share: float, seed: int
) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Training images (n, 28, 28) and labels (n,), and those to test on; the same seed draws the same.

    Args:
        images: of both parts, or of one that is to be split.
        labels: class indices, likewise.
        test_share: of each class, how much a split gives to test.
        seed: of the split, and of the mixing.
    """
    random = np.random.default_rng(seed)
    if len(labels) == 1:
        chosen = _choose_test(labels[0], test_share, random)
        images, labels = ([values[0][where] for where in (~chosen, chosen)] for values in (images, labels))
    train, test = (_mixed(*part, random) for part in zip(images, labels, strict=True))
    return *train, *test


def _choose_test(labels: Bytes, test_share: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which images (n,) go to test: `test_share` of each class, at least one, and at least one stays in training."""
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = min(max(1, round(test_share * len(members))), len(members) - 1)
        chosen[random.permutation(members)[:count]] = True
    return chosen


def _mixed(images: Bytes, labels: Bytes, random: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Images (n, 28, 28) and labels (n,) as they came, unless they came class by class; then shuffled.

    A part of the training images that is held out by position would else lack whole classes.
    """
    if np.count_nonzero(labels[1:] != labels[:-1]) >= len(np.unique(labels)):
        return images, labels
    order = random.permutation(len(labels))
    return images[order], labels[order]
