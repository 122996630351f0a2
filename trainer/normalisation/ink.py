"""The ink of a digit: told from paper, grain, specks and ruled lines."""

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.paper import Contrast, quantile

Sides = npt.NDArray[np.float64]

# Ink from a quarter up is a mark; less is the soft edge of one.
MARK = 64

# Contrast below this (of 255) is an empty sheet: paper grain and scanner noise stay under it.
LEAST_CONTRAST = 12

# Ink differs from the paper by at least so many standard deviations of the paper's grain.
GRAINS = 4

# The paper's own grain must not count as ink: a quarter of the way to the ink is still paper.
STILL_PAPER = 0.25

# A piece counts that has this share of the largest one's ink, and is no further from it than this share of its size.
LEAST_PIECE = 0.05
FURTHEST_PIECE = 0.3

# A ruled line, or the sheet's edge: it runs along this share of the picture's side, and is this much longer than wide.
LINE_LENGTH = 0.8
LINE_ASPECT = 6


def ink_of(light_on_dark: Contrast) -> Bytes:
    """The picture (h, w) uint8 with paper at 0 and ink stretched to 255; all 0 where there is no contrast.

    Args:
        light_on_dark: difference to the paper or to the median, in ±255, ink above paper.
    """
    blank = np.zeros(light_on_dark.shape, np.uint8)
    low, high = float(light_on_dark.min()), float(light_on_dark.max())
    if high - low < LEAST_CONTRAST:
        return blank
    values = np.asarray((light_on_dark - low) * (255 / (high - low)), np.uint8)
    # The threshold that separates the values best into two groups (N. Otsu, 1979).
    threshold = cv2.threshold(values, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
    paper = values[values <= threshold]
    ground = quantile(paper, 0.5)
    # The median of absolute deviations, as a standard deviation of normal grain (F. Hampel, 1974).
    grain = 1.4826 * quantile(np.abs(paper - np.float32(ground)), 0.5)
    marks = values[values > max(threshold, ground + GRAINS * grain)]
    if not marks.size:
        return blank
    full = quantile(marks, 0.9)
    if (full - ground) * (high - low) < LEAST_CONTRAST * 255:
        return blank
    least = ground + STILL_PAPER * (full - ground)
    return np.asarray(((values - least) * (255 / (full - least))).clip(0, 255), np.uint8)


def digit_of(ink: Bytes) -> Bytes:
    """The ink (h, w) uint8 without what is not the digit's: specks, ruled lines, the sheet's edges."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((ink > MARK).astype(np.uint8), connectivity=8)
    if count <= 2:  # the paper, and one piece
        return ink
    left, top, width, height, area = boxes[1:].T.astype(float)
    lines = _are_lines(left, top, width, height, ink.shape)
    sizes = area if lines.all() else np.where(lines, 0, area)
    main = int(sizes.argmax())
    gap = np.maximum(_gaps(left, width, main), _gaps(top, height, main))
    near = gap <= FURTHEST_PIECE * max(width[main], height[main])
    kept = near & (sizes >= LEAST_PIECE * sizes[main])
    if kept.all():
        return ink
    mask = np.concatenate([[False], kept])[labels].astype(np.uint8)
    # The soft edge of a stroke lies outside its mask.
    return np.asarray(ink * cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)


def _are_lines(left: Sides, top: Sides, width: Sides, height: Sides, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    rows, columns = shape
    at_border = (left == 0) | (top == 0) | (left + width == columns) | (top + height == rows)
    across = (width >= LINE_LENGTH * columns) & (width >= LINE_ASPECT * height)
    down = (height >= LINE_LENGTH * rows) & (height >= LINE_ASPECT * width)
    return np.asarray(at_border & (across | down), np.bool_)


def _gaps(start: Sides, length: Sides, main: int) -> Sides:
    """How far each piece is from the main one along one axis; negative where they overlap."""
    return np.asarray(np.maximum(start - (start[main] + length[main]), start[main] - (start + length)), np.float64)
