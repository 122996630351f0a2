"""Converts pixels of more than 8 bits, or with fractions, to 0–255, and reads the files that hold them.

Cameras and scanners put their 9 to 15 bits into 16 at the lower end, and few files say so: the largest value does.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.transparency import in_color_on_paper, on_paper

Numbers = npt.NDArray[Any]

# Resampling overshoots the range of fractions by up to this much.
OVERSHOOT = 0.1

# Fractions are brightened by at most this factor: an image that never exceeds 1/16 is a dark exposure.
MAX_LIGHTENED = 16

# The squared difference of neighbors, divided by twice the variance: 1 for noise, in which neighbors are independent,
# and below 0.5 for MNIST's digits.
NOISE = 0.8


def to_bytes(values: Numbers) -> Bytes:
    """Convert gray values (h, w), or colors (h, w, 3), of any numeric type to uint8, by the range they seem to have.

    Integers: from 0 to the smallest 2**n - 1, at least 255, that holds them all; dark noise in 16 bits stays dark.
    Fractions: 0–1, −1–1 or 0–255, else as integers. Other values are stretched from their own range. NaN and infinity
    become the smallest value.
    """
    if values.dtype.kind == "f":
        values = values.astype(np.float32)
        finite = np.isfinite(values)
        if not finite.all():
            values = np.where(finite, values, values[finite].min() if finite.any() else 0)
    least, most = float(values.min()), float(values.max())
    low, high = _range_of_fractions(values, least, most) if values.dtype.kind == "f" else _range(values, least, most)
    scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.asarray(np.clip(np.round(scaled), 0, 255), np.uint8)


def _range(values: Numbers, least: float, most: float) -> tuple[float, float]:
    if least < 0:
        return least, least + _power(most - least)
    if most <= 1:
        return 0, 1
    full = _power(most)
    return 0, 65535 if full < 65535 and _is_noise(values) else full


def _range_of_fractions(values: Numbers, least: float, most: float) -> tuple[float, float]:
    if least >= -OVERSHOOT and most <= 1 + OVERSHOOT:
        if most <= 0 or _is_noise(values):
            return 0, 1
        return 0, max(2.0 ** np.ceil(np.log2(most)), 1 / MAX_LIGHTENED) if most <= 0.5 else 1
    if least >= -1 - OVERSHOOT and most <= 1 + OVERSHOOT:
        return -1, 1
    if least < 0:
        return least, most
    return 0, _power(most)


def _power(most: float) -> float:
    return float(2 ** max(8, int(np.ceil(most)).bit_length()) - 1)


def _is_noise(values: Numbers) -> bool:
    """Whether pixels differ from their neighbors as much as from any other pixel."""
    grays = values.astype(np.float32)
    variance = float(grays.var())
    if variance == 0 or min(grays.shape) < 2:
        return False
    across, down = cv2.absdiff(grays[:, 1:], grays[:, :-1]), cv2.absdiff(grays[1:], grays[:-1])
    return bool((np.square(across).mean() + np.square(down).mean()) / (4 * variance) > NOISE)


UNCHANGED = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION


def read_deep(data: bytes, page: int, *, halved: bool, color: bool = False) -> Bytes:
    """Read a page of a PNG or TIFF with OpenCV as gray (h, w) uint8, not yet rotated; its size must be checked before.

    Args:
        color: whether to read an image with colors as RGB (h, w, 3).

    Raises:
        ImageUnreadable: OpenCV can't read it.
    """
    try:
        read, pages = cv2.imdecodemulti(np.frombuffer(data, np.uint8), UNCHANGED, range=(page, page + 1))
    except cv2.error as error:
        raise ImageUnreadable("can't be read: it is damaged", "damaged") from error
    if not read or not pages:
        raise ImageUnreadable("can't be read: it is damaged, or has an unsupported pixel format", "damaged")
    values = pages[0][::2, ::2] if halved else pages[0]
    if values.ndim == 2:
        return to_bytes(values)
    channels = values.shape[2]
    if channels in (1, 2):
        gray = values[:, :, 0]
    elif channels in (3, 4):
        gray = cv2.cvtColor(values[:, :, :3], cv2.COLOR_BGR2GRAY)
        if color:
            pixels = to_bytes(values[:, :, 2::-1])
            return pixels if channels == 3 else in_color_on_paper(pixels, to_bytes(values[:, :, -1]))
    else:
        raise ImageUnreadable(f"has {channels} channels, which is not a color format; save it as a gray PNG", "damaged")
    return on_paper(to_bytes(gray), to_bytes(values[:, :, -1])) if channels in (2, 4) else to_bytes(gray)
