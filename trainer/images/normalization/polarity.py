"""Decides whether an image is dark on light or light on dark, by several measures that distinguish paper from ink.

In a closely cropped image the border alone says nothing, since strokes touch it. But paper also dominates the corners,
and has wider empty areas than a stroke.
"""

from math import log
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.normalization.lines import MIN_SIDE, is_framed

Polarity = Literal["light-on-dark", "dark-on-light"]

# Large enough to distinguish strokes from empty areas; shrinking to it removes noise and specks.
VOTING_SIDE = 48

# A corner's sides, as a share of the image's.
CORNER_SHARE = 1 / 8

# A frame around a cell is detected if, this far inside the border (in shares of the sides), light or dark dominates by
# at least `CLEAR`, opposite to the border.
INSETS = (0.1, 0.14, 0.18, 0.22)
CLEAR = 0.5

# Weights of how much light dominates in all pixels, on the border and in the corners, and of the log ratio of the
# widest discs that fit into light and dark. A logistic regression without intercept, so that inverting an image inverts
# the vote: fitted on cropped MNIST digits, USPS, Semeion and Optdigits, where 99.3 to 100 % of the images are right.
WEIGHTS = (-1.1, 5.4, 7.7, 2.9)


def polarity_of(difference: npt.NDArray[np.float32]) -> tuple[Polarity, bool]:
    """The polarity of an image of up to 48 pixels a side, and whether its border is all paper.

    Args:
        difference: (h, w) in ±255, to the image's paper or median.
    """
    light = _light(difference)
    everywhere, border, corners = evidence = _dominance(light)
    # If border, corners and most of the rest are of one tone, the discs could not change the vote.
    if abs(border + corners) == 1 and everywhere * border > 0:
        return "dark-on-light" if border > 0 else "light-on-dark", True
    discs = log(_widest_disc(light) / _widest_disc(1 - light))
    vote = sum(weight * measure for weight, measure in zip(WEIGHTS, (*evidence, discs), strict=True))
    return "dark-on-light" if vote > 0 else "light-on-dark", False


def tone_of_frame(gray: Bytes) -> Polarity | None:
    """The polarity of an image (h, w) uint8 with a frame of the ink's tone along its borders; None without a frame."""
    if min(gray.shape) < MIN_SIDE:
        return None
    light = np.asarray(cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.uint8)
    height, width = light.shape
    clearest = 0.0
    for share in INSETS:
        rows, columns = max(1, round(share * height)), max(1, round(share * width))
        _, border, corners = _dominance(light[rows : height - rows, columns : width - columns])
        clearest = max(clearest, border + corners, key=abs)
    if abs(clearest) < CLEAR or not is_framed(1 - light if clearest > 0 else light):
        return None
    return "dark-on-light" if clearest > 0 else "light-on-dark"


def _dominance(light: Bytes) -> tuple[float, float, float]:
    """How much light, 1 in (h, w) uint8, dominates over dark, 0: in all pixels, on the border, in the corners.

    Each is in ±0.5, and positive if light seems to be the paper.
    """
    height, width = light.shape
    count = cv2.countNonZero
    border = count(light[0]) + count(light[-1]) + count(light[:, 0]) + count(light[:, -1])
    down, across = max(1, round(height * CORNER_SHARE)), max(1, round(width * CORNER_SHARE))
    corners = sum(
        count(light[rows, columns])
        for rows in (slice(down), slice(-down, None))
        for columns in (slice(across), slice(-across, None))
    )
    return (
        count(light) / (height * width) - 0.5,
        border / (2 * (height + width)) - 0.5,
        corners / (4 * down * across) - 0.5,
    )


def _light(difference: npt.NDArray[np.float32]) -> Bytes:
    """Two tones, separated halfway between the median and the extreme value on the side that skewness indicates."""
    least, most, _, _ = cv2.minMaxLoc(difference)
    skewed_up = cv2.sumElems(cv2.pow(difference, 3))[0] > 0
    furthest = most if skewed_up else least
    return np.asarray(cv2.threshold(difference, furthest / 2, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _widest_disc(tone: Bytes) -> float:
    """The radius of the widest disc of ones in pixels, at least 0.5."""
    return cv2.minMaxLoc(cv2.distanceTransform(tone, cv2.DIST_L2, 3))[1] + 0.5
