"""Greys of more than 8 bits, or with fractions, brought to 0–255 by what range they can be seen to have.

Cameras and scanners put their 9 to 15 bits into 16 at the lower end, and few files say so: the largest value does.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes

Numbers = npt.NDArray[Any]

# Beyond the ends of a range of fractions by so much is what resampling overshoots.
OVERSHOOT = 0.1

# Fractions are made lighter up to so many times: what never gets above a sixteenth is a dark exposure.
MOST_LIGHTENED = 16

# Of the squared difference of neighbors to twice the variance: 1 for noise, in which no pixel knows its neighbor, and
# below a half for MNIST's digits of 28 pixels.
NOISE = 0.8


def to_bytes(values: Numbers) -> Bytes:
    """Greys (h, w) of any number type as uint8; those in one of the usual ranges keep their place in it.

    Whole numbers: 0 to the least power of two less one, from 255 up, that holds them all; what is nothing but noise
    far down in 16 bits stays as dark as it is. Fractions: 0–1, −1–1, 0–255; else as whole numbers. Any others are
    stretched to their own range. What is no number counts as the least one.
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
        return 0, max(2.0 ** np.ceil(np.log2(most)), 1 / MOST_LIGHTENED) if most <= 0.5 else 1
    if least >= -1 - OVERSHOOT and most <= 1 + OVERSHOOT:
        return -1, 1
    if least < 0:
        return least, most
    return 0, _power(most)


def _power(most: float) -> float:
    return float(2 ** max(8, int(np.ceil(most)).bit_length()) - 1)


def _is_noise(values: Numbers) -> bool:
    """Whether pixels differ from their neighbors as much as from any other."""
    greys = values.astype(np.float32)
    variance = float(greys.var())
    if variance == 0 or min(greys.shape) < 2:
        return False
    across, down = cv2.absdiff(greys[:, 1:], greys[:, :-1]), cv2.absdiff(greys[1:], greys[:-1])
    return bool((np.square(across).mean() + np.square(down).mean()) / (4 * variance) > NOISE)
