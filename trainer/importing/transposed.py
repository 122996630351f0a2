"""Tells whether digits or letters were stored with rows and columns exchanged, as EMNIST's are."""

import numpy as np
import numpy.typing as npt

from trainer.importing.found import Array
from trainer.importing.labels import to_labels

INK = 64
SAMPLE = 2000
MIN_IMAGES = 50

# How many of the images whose ink isn't as wide as high must be wider. Of MNIST's training images it is 10 %, and with
# rows and columns exchanged 90 %.
WIDER = 0.75

# Characters are numbered; clothes are too, so the images must also be those of characters: ink in a box of 20 pixels,
# give or take EMNIST's two.
MAX_LABEL = 61
BOX = (18, 26)


def look_transposed(images: Array, labels: Array) -> bool:
    """Whether most characters lie on their side: they are higher than wide in every script that MNIST's kin are of.

    Args:
        images: (n, 28, 28) of 0–255, or of another shape, about which nothing is said.
        labels: (n,) whole numbers, or anything else, about which nothing is said.
    """
    if (
        images.ndim != 3
        or images.shape[1:] != (28, 28)
        or images.dtype.kind not in "ui"
        or labels.dtype.kind not in "ui"
    ):
        return False
    if len(images) < MIN_IMAGES or not 0 <= int(labels.min()) <= int(to_labels(labels, "labels").max()) <= MAX_LABEL:
        return False
    ink = images[:SAMPLE] >= INK
    height, width = (_extent(np.asarray(ink.any(axis=axis))) for axis in (2, 1))
    longer = np.maximum(height, width)
    characters = (longer >= BOX[0]) & (longer <= BOX[1])
    if characters.mean() < WIDER:
        return False
    uneven = characters & (np.abs(height - width) >= 2)
    return bool(uneven.sum() >= MIN_IMAGES / 2 and (width > height)[uneven].mean() >= WIDER)


def _extent(inked: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """How far it is from the first to the last line (n, lines) with ink in it."""
    first, last = inked.argmax(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1)
    return np.where(inked.any(axis=1), last - first, 0)
