"""Detects images in MNIST's format: light ink on black in a 20×20 box, with the center of mass in the middle.

Lengths are those of 28×28 pixels; for a field of another size they are scaled with its shorter side.

Works on many images together, by the sums of their rows and columns: one by one takes three times as long.
"""

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.normalization.field import BOX, SIDE, scaled_to

# None of MNIST's 70,000 images has fewer pixels of exactly 0 than this share, or its center of mass further from the
# center.
MAX_INK = 0.5
MAX_OFF_CENTER = 0.53

MIN_PEAK = 128

# An outermost row or column with this much ink, that of 13 full pixels, may be a line. None of MNIST's images has them
# on three sides.
FULL_EDGE = 3400
FRAMED_EDGES = 3


def are_mnist(pictures: Bytes) -> npt.NDArray[np.bool_]:
    """Whether each image of (n, h, w) uint8 is in MNIST's format: (n,) bool."""
    height, width = pictures.shape[1:]
    flat = pictures.reshape(-1, height * width)
    box, full_edge = scaled_to((height, width), BOX), scaled_to((height, width), FULL_EDGE)
    off_center = MAX_OFF_CENTER * max(1.0, min(height, width) / SIDE)
    # Matrix products are faster than sums; sums of bytes are exact in float32 up to 2**24.
    values = pictures.astype(np.float32)
    rows, columns = values @ np.ones(width, np.float32), np.ones(height, np.float32) @ values
    return np.asarray(
        (np.count_nonzero(flat, axis=1) <= height * width * MAX_INK)
        & (flat.max(axis=1) > MIN_PEAK)
        & (_extent(rows) <= box)
        & (_extent(columns) <= box)
        & (abs(_center(rows) - height / 2) <= off_center)
        & (abs(_center(columns) - width / 2) <= off_center)
        & (_full_edges(rows, full_edge) + _full_edges(columns, full_edge) < FRAMED_EDGES)
    )


def _extent(sums: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The number of rows or columns from the first to the last one with ink; all if none has ink."""
    inked = sums > 0
    return np.asarray(sums.shape[1] - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1), np.int64)


def _full_edges(sums: npt.NDArray[np.float32], full: int) -> npt.NDArray[np.int64]:
    """On how many of the two sides the first or second row or column with ink is full: 0 to 2."""
    inked, images, lines = sums > 0, np.arange(len(sums)), sums.shape[1]
    first, last = inked.argmax(axis=1), lines - 1 - inked[:, ::-1].argmax(axis=1)
    at_start = np.maximum(sums[images, first], sums[images, np.minimum(first + 1, lines - 1)])
    at_end = np.maximum(sums[images, last], sums[images, np.maximum(last - 1, 0)])
    return np.asarray((at_start >= full).astype(np.int64) + (at_end >= full), np.int64)


def _center(sums: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray((sums @ np.arange(sums.shape[1], dtype=np.float32)) / np.maximum(sums.sum(axis=1), 1), np.float32)
