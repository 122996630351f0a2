"""Converts arrays of images of any supported shape and type to unsigned bytes, keeping their size and color."""

import math

import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.importing.found import Array, Check
from tenfold.trainer.data.importing.preprocessing import chunks
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.input_spec import MIN_SIDE


def to_images(values: Array, what: str, check: Check) -> Bytes:
    """Convert images to gray (n, h, w) or RGB (n, h, w, 3) uint8.

    Args:
        values: (n, pixels) of square images, (n, h, w), (n, h, w, 1) or (n, h, w, 3) of booleans, integers 0–255, or
            fractions 0–1.
        what: the array's name, for messages.
        check: called every few hundred images; raises an exception to stop.

    Raises:
        DatasetInvalid: another shape or type, a value out of range, NaN or infinity.
    """
    values = _with_image_shape(values, what)
    images = np.empty(values.shape, np.uint8)
    if not len(values):
        return images
    factor = factor_of(values, what)
    for chunk, target in zip(chunks(values), chunks(images), strict=True):
        check()
        target[:] = chunk if factor == 1 else np.round(chunk.astype(np.float64) * factor)
    return images


def _with_image_shape(values: Array, what: str) -> Array:
    shape = values.shape
    if values.dtype.kind not in "biuf":
        raise DatasetInvalid(f"{what} is of type {values.dtype}; expected numbers: 0–255, or fractions 0–1.")
    if len(shape) == 2 and (side := square_side(shape[1])):
        return values.reshape(-1, side, side)
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3) or 0 in shape[1:]:
        hint = " The channels come last." if len(shape) == 4 and shape[1] in (1, 3) else ""
        raise DatasetInvalid(
            f"{what} has shape {values.shape}; expected (n, 28, 28), (n, 784), or images of another size as "
            f"(n, height, width), (n, height, width, 1) or (n, height, width, 3).{hint}"
        )
    return values.reshape(shape)


def square_side(pixels: int) -> int | None:
    """The side of a square image with this many pixels; None if it is not a square, or too small."""
    side = math.isqrt(pixels)
    return side if side * side == pixels and side >= MIN_SIDE else None


def factor_of(values: Array, what: str) -> int:
    """The factor that scales the values to 0–255: 1 or 255.

    Raises:
        DatasetInvalid: a value out of range, NaN or infinity.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise DatasetInvalid(f"{what} contains NaN or infinite values; expected 0–255, or fractions 0–1.")
    if values.dtype.kind == "b" or (values.dtype.kind == "f" and 0 <= low <= high <= 1):
        return 255
    whole = values.dtype.kind in "iu" or all((chunk == np.floor(chunk)).all() for chunk in chunks(values))
    if low < 0 or high > 255 or not whole:
        fractions = "" if whole else ", with fractions"
        raise DatasetInvalid(
            f"{what} has values from {low:g} to {high:g}{fractions}; expected integers 0–255, or fractions 0–1. "
            "Scale them, and undo any standardization."
        )
    return 1
