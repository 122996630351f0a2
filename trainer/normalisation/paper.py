"""The paper of a picture: the picture made small enough to work on, and the paper taken away, with its uneven light."""

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.polarity import Polarity

Difference = npt.NDArray[np.float32]

# A digit of a sixth of this is as large as MNIST's field; a smaller one on a larger sheet is looked at again, closer.
WORKING_SIDE = 160

# Under this side an image is a crop of a digit, whose ink may fill whole neighbourhoods: its paper is taken as even.
LEAST_SIDE_WITH_SHADES = 64

# The paper is looked for in a picture of at most this side, in a window that is nearly all of it: of a digit that
# touches the borders, strokes fill the most of narrower ones.
PAPER_SIDE = 24
PAPER_WINDOW = 23

# Paper of which no place is lighter than another by more than this, of 255, is taken as equally light.
EVEN_LIGHT = 1

# Where the paper itself is darker than this, its light says nothing about how dark ink on it is.
DARKEST_LIT_PAPER = 32


def shrinking_to(side: int, shape: tuple[int, ...]) -> int:
    """The least whole factor that brings a picture's longer side to this many pixels or fewer."""
    return -(-max(shape) // side)


def reduced(grey: Bytes, factor: int) -> Bytes:
    """The picture (h, w) uint8 a whole number of times smaller; what does not fill a block at the ends is left out."""
    if factor <= 1:
        return grey
    height, width = (max(1, side // factor) for side in grey.shape)
    blocks = grey[: height * factor, : width * factor]
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def paper_of(grey: Bytes) -> Bytes | None:
    """The paper (h, w) uint8, up to 24 pixels a side, without the ink on it; None where it is taken as even.

    It is a slope of light, and on it the median of a wide window: a stroke moves medians little, be it light or dark.
    """
    if min(grey.shape) < LEAST_SIDE_WITH_SHADES:
        return None
    small = reduced(grey, shrinking_to(PAPER_SIDE, grey.shape))
    slope = _slope_of_light(small)
    if slope is None:
        return _shades(small)
    level = np.asarray(cv2.subtract(small, slope, dtype=cv2.CV_8U), np.uint8)
    return np.asarray(cv2.add(_shades(level), slope, dtype=cv2.CV_8U), np.uint8)


def paper_inside(grey: Bytes, share: float) -> Bytes | None:
    """As `paper_of`, of what is inside of this share of the sides; outside of it the paper goes on as it is there."""
    rows, columns = (round(share * side) for side in grey.shape)
    paper = paper_of(grey[rows : grey.shape[0] - rows, columns : grey.shape[1] - columns])
    if paper is None:
        return None
    down, across = (round(side * share / (1 - 2 * share)) for side in paper.shape)
    return np.pad(paper, ((down, down), (across, across)), mode="edge")


def differing(grey: Bytes, paper: Bytes | None) -> Difference:
    """The difference (h, w) float32, in ±255, of each pixel to the paper, or to the median where that is even."""
    if paper is None:
        return grey.astype(np.float32) - np.float32(_medians(grey)[0])
    return np.asarray(cv2.subtract(grey, _laid_under(grey, paper), dtype=cv2.CV_32F), np.float32)


def light_on_dark(grey: Bytes, paper: Bytes | None, polarity: Polarity) -> Bytes:
    """The picture (h, w) uint8 with light ink, on paper that is dark, and all equally so unless it is taken as even.

    Dark ink takes away a share of the light, so that what it takes is counted in shares of the paper's.
    """
    if paper is None:
        return grey if polarity == "light-on-dark" else np.asarray(cv2.bitwise_not(grey), np.uint8)
    least, most, _, _ = cv2.minMaxLoc(paper)
    if most - least <= EVEN_LIGHT:
        full = most + 255 if polarity == "light-on-dark" else most - max(most, DARKEST_LIT_PAPER)
        return stretched(grey, most, full)
    under = _laid_under(grey, paper)
    if polarity == "light-on-dark":
        return np.asarray(cv2.subtract(grey, under), np.uint8)
    light = np.maximum(under, np.uint8(DARKEST_LIT_PAPER))
    return np.asarray(cv2.divide(cv2.subtract(under, grey), light, scale=255), np.uint8)


def stretched(values: Bytes, least: float, full: float) -> Bytes:
    """The values (h, w) uint8 with `least` at 0 and `full` at 255, and what is beyond them there too."""
    times = 255 / (full - least)
    return np.asarray(cv2.addWeighted(values, times, values, 0, -least * times), np.uint8)


def _laid_under(grey: Bytes, paper: Bytes) -> Bytes:
    height, width = grey.shape
    return np.asarray(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _shades(level: Bytes) -> Bytes:
    return np.asarray(cv2.blur(cv2.medianBlur(level, PAPER_WINDOW), (5, 5)), np.uint8)


def _slope_of_light(small: Bytes) -> Difference | None:
    """The plane (h, w) float32, 0 in the middle, on which the medians of the picture's halves lie; None if level."""
    height, width = small.shape
    half_height, half_width = height // 2, width // 2
    upper, lower = _medians(small[:half_height], small[-half_height:])
    left, right = _medians(small[:, :half_width], small[:, -half_width:])
    if upper == lower and left == right:
        return None
    down, across = (lower - upper) / (height - half_height), (right - left) / (width - half_width)
    rows = np.arange(height, dtype=np.float32)[:, None] - np.float32((height - 1) / 2)
    columns = np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)
    return rows * np.float32(down) + columns * np.float32(across)


def _medians(*parts: Bytes) -> list[int]:
    """Of parts of equal size, (h, w) uint8 each, the lower of the two in the middle where there are two."""
    values = np.array(parts).reshape(len(parts), -1)
    middle = (values.shape[1] - 1) // 2
    values.partition(middle, axis=1)
    medians: list[int] = values[:, middle].tolist()
    return medians
