"""Shrinks images to a working size, and removes the paper with its uneven light."""

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.normalization.polarity import Polarity

Difference = npt.NDArray[np.float32]

# A digit of a sixth of this is as large as MNIST's field; a smaller one is cropped and processed again.
WORKING_SIDE = 160

# A smaller image is a crop of a digit, whose ink may fill whole neighborhoods: its paper is assumed to be uniform.
MIN_SIDE_WITH_SHADES = 64

# The paper is measured in an image shrunk to this side, by medians over a window of nearly all of it: the strokes of a
# digit that touches the borders would fill most of a narrower one.
PAPER_SIDE = 24
PAPER_WINDOW = 23

# Paper that varies by at most this, of 255, counts as uniform.
EVEN_LIGHT = 1

# On paper darker than this, its brightness says nothing about that of the ink.
DARKEST_LIT_PAPER = 32


def shrinking_to(side: int, shape: tuple[int, ...]) -> int:
    """The smallest integer factor that shrinks an image's longer side to at most this many pixels."""
    return -(-max(shape) // side)


def reduced(gray: Bytes, factor: int) -> Bytes:
    """Shrink the image (h, w) uint8 by an integer factor; incomplete blocks at the end are dropped."""
    if factor <= 1:
        return gray
    height, width = (max(1, side // factor) for side in gray.shape)
    blocks = gray[: height * factor, : width * factor]
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def paper_of(gray: Bytes) -> Bytes | None:
    """The paper (h, w) uint8 without ink, at most 24 pixels a side; None if it is assumed to be uniform.

    A gradient of light plus medians over a wide window, which strokes hardly change, whether light or dark.
    """
    if min(gray.shape) < MIN_SIDE_WITH_SHADES:
        return None
    small = reduced(gray, shrinking_to(PAPER_SIDE, gray.shape))
    slope = _slope_of_light(small)
    if slope is None:
        return _shades(small)
    level = np.asarray(cv2.subtract(small, slope, dtype=cv2.CV_8U), np.uint8)
    return np.asarray(cv2.add(_shades(level), slope, dtype=cv2.CV_8U), np.uint8)


def paper_inside(gray: Bytes, share: float) -> Bytes | None:
    """As `paper_of`, measured inside a margin of this share of the sides and extended to the borders."""
    rows, columns = (round(share * side) for side in gray.shape)
    paper = paper_of(gray[rows : gray.shape[0] - rows, columns : gray.shape[1] - columns])
    if paper is None:
        return None
    down, across = (round(side * share / (1 - 2 * share)) for side in paper.shape)
    return np.pad(paper, ((down, down), (across, across)), mode="edge")


def differing(gray: Bytes, paper: Bytes | None) -> Difference:
    """The difference (h, w) float32, in ±255, of each pixel to the paper, or to the median if that is uniform."""
    if paper is None:
        return gray.astype(np.float32) - np.float32(_medians(gray)[0])
    return np.asarray(cv2.subtract(gray, _laid_under(gray, paper), dtype=cv2.CV_32F), np.float32)


def light_on_dark(gray: Bytes, paper: Bytes | None, polarity: Polarity) -> Bytes:
    """The image (h, w) uint8 with light ink on dark paper, of which uneven light is removed.

    Dark ink absorbs a share of the light, so it is measured as a share of the paper's brightness.
    """
    if paper is None:
        return gray if polarity == "light-on-dark" else np.asarray(cv2.bitwise_not(gray), np.uint8)
    least, most, _, _ = cv2.minMaxLoc(paper)
    if most - least <= EVEN_LIGHT:
        full = most + 255 if polarity == "light-on-dark" else most - max(most, DARKEST_LIT_PAPER)
        return stretched(gray, most, full)
    under = _laid_under(gray, paper)
    if polarity == "light-on-dark":
        return np.asarray(cv2.subtract(gray, under), np.uint8)
    light = np.maximum(under, np.uint8(DARKEST_LIT_PAPER))
    return np.asarray(cv2.divide(cv2.subtract(under, gray), light, scale=255), np.uint8)


def stretched(values: Bytes, least: float, full: float) -> Bytes:
    """The values (h, w) uint8 scaled from `least`–`full` to 0–255, and clipped."""
    times = 255 / (full - least)
    return np.asarray(cv2.addWeighted(values, times, values, 0, -least * times), np.uint8)


def _laid_under(gray: Bytes, paper: Bytes) -> Bytes:
    height, width = gray.shape
    return np.asarray(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _shades(level: Bytes) -> Bytes:
    return np.asarray(cv2.blur(cv2.medianBlur(level, PAPER_WINDOW), (5, 5)), np.uint8)


def _slope_of_light(small: Bytes) -> Difference | None:
    """The gradient (h, w) float32 of the medians of the image's halves, 0 in the middle; None if they are equal."""
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
    """The median of each part, all (h, w) uint8 of one size; the lower one of two middle values."""
    values = np.array(parts).reshape(len(parts), -1)
    middle = (values.shape[1] - 1) // 2
    values.partition(middle, axis=1)
    medians: list[int] = values[:, middle].tolist()
    return medians
