"""The ink of a digit: told from paper, grain, specks, ruled lines and other digits."""

from bisect import bisect_left
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.paper import stretched

Sides = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]

# Ink from a quarter up is a mark; less is the soft edge of one.
MARK = 64

# Where ink is this share of the picture, Otsu's threshold finds it without help, and soft edges would pass for grain.
PLENTY_OF_INK = 0.1

# Of a picture of so many rows, every third tells how light paper and ink are as well as all of them, if it has ink.
MANY_ROWS = 64

# Contrast below this (of 255) is an empty sheet: paper grain and scanner noise stay under it.
LEAST_CONTRAST = 12

# Ink differs from the paper by at least so many standard deviations of the paper's grain. Of normal grain the upper
# quartile is 0.6745 of them above the median.
GRAINS = 4
UPPER_QUARTILE = 0.6745

# The paper's own grain must not count as ink: a quarter of the way to the ink is still paper.
STILL_PAPER = 0.25

# A piece is the digit's that has this share of the largest one's ink, and is no further from it than this share of
# its size.
LEAST_PIECE = 0.05
FURTHEST_PIECE = 0.3

# A piece is another digit that is this long, and this far away, in shares of the largest one's size: the hat of a 5
# is shorter, and the halves of a broken 0 are closer.
ANOTHER_LENGTH = 0.6
ANOTHER_GAP = 0.1

# A ruled line, or the sheet's edge: it runs along this share of the picture's side, and is this much longer than wide.
LINE_LENGTH = 0.8
LINE_ASPECT = 6

NEIGHBOURHOOD = np.ones((3, 3), np.uint8)


class Digit(NamedTuple):
    """A digit found in a picture.

    Attributes:
        ink: (height, width) uint8, cut from the picture as close as its marks go.
        left, top: of the cut, in the picture's pixels.
        pieces: how many things of a digit's size the picture has, apart from each other; 0 where it has no marks.
    """

    ink: Bytes
    left: int
    top: int
    pieces: int


def ink_of(light_on_dark: Bytes) -> Bytes:
    """The picture (h, w) uint8 with paper at 0 and ink stretched to 255; all 0 where there is no contrast."""
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
    # With this algorithm it takes a third of the time that it takes by default.
    _, labels, boxes, _ = cv2.connectedComponentsWithStatsWithAlgorithm(marks, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    own, pieces = _own_pieces(boxes[1:], ink.shape)
    left, top = boxes[1:][own, :2].min(axis=0).tolist()
    right, bottom = (boxes[1:][own, :2] + boxes[1:][own, 2:4]).max(axis=0).tolist()
    cut, others = ink[top:bottom, left:right], labels[top:bottom, left:right]
    if not own.all():
        mask = np.concatenate([[False], own]).astype(np.uint8)[others]
        # The soft edge of a stroke lies outside its mask.
        cut = np.asarray(cv2.multiply(cut, cv2.dilate(mask, NEIGHBOURHOOD)), np.uint8)
    return Digit(cut, left, top, pieces)


def is_line(digit: Digit, shape: tuple[int, ...]) -> bool:
    """Whether what was found in a picture of this shape is but a line along one of its borders."""
    (height, width), (rows, columns) = digit.ink.shape, shape
    across = width >= LINE_LENGTH * columns and width >= LINE_ASPECT * height
    # A 1 is as high as its picture where it was cut close, but then nothing else is beside it.
    down = height >= LINE_LENGTH * rows and height >= LINE_ASPECT * width and columns >= LINE_ASPECT * width
    at_side = digit.left == 0 or digit.left + width == columns
    return bool(digit.pieces) and (across or (down and at_side))


def _paper_and_ink(light_on_dark: Bytes) -> tuple[int, int] | None:
    """How light the paper is, in the middle of its grain, and full ink; None where there is no contrast."""
    # The threshold that separates the values best into two groups (N. Otsu, 1979).
    threshold = int(cv2.threshold(light_on_dark, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
    counts: list[float] = cv2.calcHist([light_on_dark], [0], None, [256], [0, 256]).cumsum().tolist()
    papers = counts[threshold]
    ground, grainy = bisect_left(counts, papers / 2), bisect_left(counts, papers * 3 / 4)
    grain = (grainy - ground) / UPPER_QUARTILE if papers > (1 - PLENTY_OF_INK) * counts[-1] else 0
    least_mark = min(max(threshold, round(ground + GRAINS * grain)), 255)
    marks = counts[-1] - counts[least_mark]
    full = bisect_left(counts, counts[least_mark] + 0.9 * marks)
    return (ground, full) if papers and marks and full - ground >= LEAST_CONTRAST else None


def _own_pieces(boxes: npt.NDArray[Any], shape: tuple[int, ...]) -> tuple[Chosen, int]:
    """Which pieces are the digit's, and how many digits there are, by each one's left, top, width, height and area."""
    left, top, width, height, area = boxes.T.astype(float)
    lines = _are_lines(left, top, width, height, shape)
    sizes = area if lines.all() else np.where(lines, 0, area)
    main = int(sizes.argmax())
    longest = max(width[main], height[main])
    gap = np.maximum(_gaps(left, width, main), _gaps(top, height, main))
    another = (np.maximum(width, height) >= ANOTHER_LENGTH * longest) & (gap >= ANOTHER_GAP * longest) & (sizes > 0)
    own = (gap <= FURTHEST_PIECE * longest) & (sizes >= LEAST_PIECE * sizes[main]) & ~another
    return own, 1 + int(another.sum())


def _are_lines(left: Sides, top: Sides, width: Sides, height: Sides, shape: tuple[int, ...]) -> Chosen:
    rows, columns = shape
    at_border = (left == 0) | (top == 0) | (left + width == columns) | (top + height == rows)
    across = (width >= LINE_LENGTH * columns) & (width >= LINE_ASPECT * height)
    down = (height >= LINE_LENGTH * rows) & (height >= LINE_ASPECT * width)
    return np.asarray(at_border & (across | down), np.bool_)


def _gaps(start: Sides, length: Sides, main: int) -> Sides:
    """How far each piece is from the main one along one axis; negative where they overlap."""
    return np.asarray(np.maximum(start - (start[main] + length[main]), start[main] - (start + length)), np.float64)
