"""Which pictures are in MNIST's own form already: light ink on black in a 20×20 box, its centre of mass in the middle.

Looked at many at a time, by the sums of their rows and columns: one by one it takes three times as long.
"""

import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.field import BOX, CENTRE, SIDE

# Of MNIST's 70,000 images none has less exact black, and none has its centre of mass further off the centre.
MOST_INK = SIDE * SIDE // 2
MOST_OFF_CENTRE = 0.53

LEAST_PEAK = 128

# Where ink begins or ends on a side with this much in a row, it may be a line: 13 pixels of full ink. None of MNIST's
# images begins so on three sides.
FULL_EDGE = 3400
FRAMED_EDGES = 3


def are_mnist(pictures: Bytes) -> npt.NDArray[np.bool_]:
    """Of pictures (n, 28, 28) uint8, (n,) bool."""
    flat = pictures.reshape(-1, SIDE * SIDE)
    # As products, which are faster than sums; those of bytes are exact in float32 up to 2**24.
    values, ones = pictures.astype(np.float32), np.ones(SIDE, np.float32)
    rows, columns = values @ ones, ones @ values
    return np.asarray(
        (np.count_nonzero(flat, axis=1) <= MOST_INK)
        & (flat.max(axis=1) > LEAST_PEAK)
        & (_extent(rows) <= BOX)
        & (_extent(columns) <= BOX)
        & (abs(_centre(rows) - CENTRE) <= MOST_OFF_CENTRE)
        & (abs(_centre(columns) - CENTRE) <= MOST_OFF_CENTRE)
        & (_full_edges(rows) + _full_edges(columns) < FRAMED_EDGES)
    )


def _extent(sums: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """How many rows, or columns, from the first to the last that has ink; all of them where none has."""
    inked = sums > 0
    return np.asarray(SIDE - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1), np.int64)


def _full_edges(sums: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """At how many of both ends, 0 to 2, the first or second row, or column, that has ink is full of it."""
    inked, images = sums > 0, np.arange(len(sums))
    first, last = inked.argmax(axis=1), SIDE - 1 - inked[:, ::-1].argmax(axis=1)
    at_start = np.maximum(sums[images, first], sums[images, np.minimum(first + 1, SIDE - 1)])
    at_end = np.maximum(sums[images, last], sums[images, np.maximum(last - 1, 0)])
    return np.asarray((at_start >= FULL_EDGE).astype(np.int64) + (at_end >= FULL_EDGE), np.int64)


def _centre(sums: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray((sums @ np.arange(SIDE, dtype=np.float32)) / np.maximum(sums.sum(axis=1), 1), np.float32)
