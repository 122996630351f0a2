"""Separates a digit's ink from paper, grain, specks, ruled lines and other digits."""

from bisect import bisect_left
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images.normalization.paper import stretched

Sides = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]

# Ink from a quarter up is a mark; less is a soft edge.
MARK = 64

# If ink fills this share of the image, Otsu's threshold alone finds it, and soft edges would be taken for grain.
PLENTY_OF_INK = 0.1

# In an image of this many rows, every third one suffices to measure paper and ink, if there is ink in them.
MANY_ROWS = 64

# Contrast below this (of 255) is a blank sheet: paper grain and scanner noise stay below it.
MIN_CONTRAST = 12

# Ink differs from paper by at least this many standard deviations of the paper's grain. The upper quartile of a normal
# distribution is 0.6745 standard deviations above its median.
GRAINS = 4
UPPER_QUARTILE = 0.6745

# Grain must not count as ink: values up to a quarter of the way from paper to ink are paper.
STILL_PAPER = 0.25

# A piece belongs to the digit if it has this share of the largest piece's ink, and its distance is at most this share
# of the largest piece's size.
MIN_PIECE = 0.05
FURTHEST_PIECE = 0.3

# A piece is another digit if it is this long and this far away, in shares of the largest piece's size: the top bar of a
# 5 is shorter, and the halves of a broken 0 are closer.
ANOTHER_LENGTH = 0.6
ANOTHER_GAP = 0.1

# A ruled line, or the sheet's edge, has this share of the image's side as its length, and this ratio of length to
# width.
LINE_LENGTH = 0.8
LINE_ASPECT = 6

NEIGHBORHOOD = np.ones((3, 3), np.uint8)


class Digit(NamedTuple):
    """A digit found in an image.

    Attributes:
        ink: (height, width) uint8, cropped to its marks.
        left, top: of the crop, in the image's pixels.
        pieces: the number of separate objects of a digit's size in the image; 0 if it has no marks.
    """

    ink: Bytes
    left: int
    top: int
    pieces: int


def ink_of(light_on_dark: Bytes) -> Bytes:
    """The image (h, w) uint8 with paper at 0 and ink stretched to 255; all 0 without contrast."""
    levels = _paper_and_ink(light_on_dark[::3]) if len(light_on_dark) >= MANY_ROWS else None
    levels = levels or _paper_and_ink(light_on_dark)
    if not levels:
        return np.zeros_like(light_on_dark)
    paper, full = levels
    return stretched(light_on_dark, paper + STILL_PAPER * (full - paper), full)


def digit_of(ink: Bytes) -> Digit:
    """The digit in the ink (h, w) uint8, without specks, ruled lines, the sheet's edges, and other digits."""
    marks = cv2.threshold(ink, MARK, 1, cv2.THRESH_BINARY)[1]
    left, top, width, height = cv2.boundingRect(marks)
    inked = slice(top, top + height), slice(left, left + width)
    count = cv2.connectedComponents(marks[inked], connectivity=8, ltype=cv2.CV_16U)[0] if width else 1
    if count <= 2:  # the paper, and at most one piece
        return Digit(ink[inked], left, top, count - 1)
    # This algorithm takes a third of the default one's time.
    _, labels, boxes, _ = cv2.connectedComponentsWithStatsWithAlgorithm(marks, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    own, pieces = _own_pieces(boxes[1:], ink.shape)
    left, top = boxes[1:][own, :2].min(axis=0).tolist()
    right, bottom = (boxes[1:][own, :2] + boxes[1:][own, 2:4]).max(axis=0).tolist()
    cut, others = ink[top:bottom, left:right], labels[top:bottom, left:right]
    if not own.all():
        mask = np.concatenate([[False], own]).astype(np.uint8)[others]
        # The soft edges of strokes lie outside the mask.
        cut = np.asarray(cv2.multiply(cut, cv2.dilate(mask, NEIGHBORHOOD)), np.uint8)
    return Digit(cut, left, top, pieces)


def is_line(digit: Digit, shape: tuple[int, ...]) -> bool:
    """Whether the digit found in an image of this shape is only a line along one of its borders."""
    (height, width), (rows, columns) = digit.ink.shape, shape
    across = width >= LINE_LENGTH * columns and width >= LINE_ASPECT * height
    # A closely cropped 1 is as high as its image too, but then the image is narrow.
    down = height >= LINE_LENGTH * rows and height >= LINE_ASPECT * width and columns >= LINE_ASPECT * width
    at_side = digit.left == 0 or digit.left + width == columns
    return bool(digit.pieces) and (across or (down and at_side))


def _paper_and_ink(light_on_dark: Bytes) -> tuple[int, int] | None:
    """The median gray value of the paper, and that of full ink; None without contrast."""
    # The threshold that separates the values best into two groups (N. Otsu, 1979).
    threshold = int(cv2.threshold(light_on_dark, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
    counts: list[float] = cv2.calcHist([light_on_dark], [0], None, [256], [0, 256]).cumsum().tolist()
    papers = counts[threshold]
    ground, grainy = bisect_left(counts, papers / 2), bisect_left(counts, papers * 3 / 4)
    grain = (grainy - ground) / UPPER_QUARTILE if papers > (1 - PLENTY_OF_INK) * counts[-1] else 0
    least_mark = min(max(threshold, round(ground + GRAINS * grain)), 255)
    marks = counts[-1] - counts[least_mark]
    full = bisect_left(counts, counts[least_mark] + 0.9 * marks)
    return (ground, full) if papers and marks and full - ground >= MIN_CONTRAST else None


def _own_pieces(boxes: npt.NDArray[Any], shape: tuple[int, ...]) -> tuple[Chosen, int]:
    """Which pieces belong to the digit, and the number of digits; `boxes` has left, top, width, height and area."""
    left, top, width, height, area = boxes.T.astype(float)
    lines = _are_lines(left, top, width, height, shape)
    sizes = area if lines.all() else np.where(lines, 0, area)
    main = int(sizes.argmax())
    longest = max(width[main], height[main])
    gap = np.maximum(_gaps(left, width, main), _gaps(top, height, main))
    another = (np.maximum(width, height) >= ANOTHER_LENGTH * longest) & (gap >= ANOTHER_GAP * longest) & (sizes > 0)
    own = (gap <= FURTHEST_PIECE * longest) & (sizes >= MIN_PIECE * sizes[main]) & ~another
    return own, 1 + int(another.sum())


def _are_lines(left: Sides, top: Sides, width: Sides, height: Sides, shape: tuple[int, ...]) -> Chosen:
    rows, columns = shape
    at_border = (left == 0) | (top == 0) | (left + width == columns) | (top + height == rows)
    across = (width >= LINE_LENGTH * columns) & (width >= LINE_ASPECT * height)
    down = (height >= LINE_LENGTH * rows) & (height >= LINE_ASPECT * width)
    return np.asarray(at_border & (across | down), np.bool_)


def _gaps(start: Sides, length: Sides, main: int) -> Sides:
    """The distance of each piece from the main one along one axis; negative if they overlap."""
    return np.asarray(np.maximum(start - (start[main] + length[main]), start[main] - (start + length)), np.float64)
