"""Whether a picture is dark on light or light on dark, by vote of what tells paper from ink.

Of a picture cut close, the border alone says nothing: strokes touch all of it. Paper, however, also prevails in the
corners, and leaves wider free places than a stroke is wide.
"""

from math import log
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.lines import LEAST_SIDE, is_framed

Polarity = Literal["light-on-dark", "dark-on-light"]

# Wide enough to tell strokes from free places; averaging down to it takes noise and specks away.
VOTING_SIDE = 48

# Of a corner's sides to the picture's.
CORNER_SHARE = 1 / 8

# A frame around a cell is looked for where this much inside of the border, in shares of the sides, light prevails by so
# much, and the other way than on the border.
INSETS = (0.1, 0.14, 0.18, 0.22)
CLEAR = 0.5

# Of how much light prevails in all pixels, on the border and in the corners, and of the logarithm of how many times as
# wide a disc fits into the light as into the dark. A logistic regression without intercept, so that inverting a picture
# inverts the vote: fitted on close-cut MNIST digits, USPS, Semeion and Optdigits, of whose pictures it finds 99.3 to
# 100 %.
WEIGHTS = (-1.1, 5.4, 7.7, 2.9)


def polarity_of(difference: npt.NDArray[np.float32]) -> tuple[Polarity, bool]:
    """The polarity of a picture of up to 48 pixels a side, given as difference to its paper or median, in ±255.

    And whether its border is of paper all around.
    """
    light = _light(difference)
    everywhere, border, corners = evidence = _prevailing(light)
    # Where border, corners and most of the rest are of one tone, no disc changes the vote: they are seldom looked for.
    if abs(border + corners) == 1 and everywhere * border > 0:
        return "dark-on-light" if border > 0 else "light-on-dark", True
    discs = log(_widest_disc(light) / _widest_disc(1 - light))
    vote = sum(weight * measure for weight, measure in zip(WEIGHTS, (*evidence, discs), strict=True))
    return "dark-on-light" if vote > 0 else "light-on-dark", False


def tone_of_frame(grey: Bytes) -> Polarity | None:
    """The polarity of a picture (h, w) uint8 with a frame along its borders, which is of the ink's tone."""
    if min(grey.shape) < LEAST_SIDE:
        return None
    light = np.asarray(cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1], np.uint8)
    height, width = light.shape
    clearest = 0.0
    for share in INSETS:
        rows, columns = max(1, round(share * height)), max(1, round(share * width))
        _, border, corners = _prevailing(light[rows : height - rows, columns : width - columns])
        clearest = max(clearest, border + corners, key=abs)
    if abs(clearest) < CLEAR or not is_framed(1 - light if clearest > 0 else light):
        return None
    return "dark-on-light" if clearest > 0 else "light-on-dark"


def _prevailing(light: Bytes) -> tuple[float, float, float]:
    """By how much light, 1 in (h, w) uint8, prevails over dark, 0: in all pixels, on the border, in the corners.

    Each is in ±0.5, and positive where light seems to be the paper.
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
    """Two tones, parted halfway between the median and what differs from it most: skewness tells on which side."""
    least, most, _, _ = cv2.minMaxLoc(difference)
    skewed_up = cv2.sumElems(cv2.pow(difference, 3))[0] > 0
    furthest = most if skewed_up else least
    return np.asarray(cv2.threshold(difference, furthest / 2, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _widest_disc(tone: Bytes) -> float:
    """The radius of the widest disc of ones, in pixels; half a pixel at least."""
    return cv2.minMaxLoc(cv2.distanceTransform(tone, cv2.DIST_L2, 3))[1] + 0.5
