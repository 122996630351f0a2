"""Lines taken away from a picture of a digit, and whether that was clear."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.lines.finding import sides_worth_a_look, straight_shares
from trainer.normalisation.lines.line import Chosen, Line, bands_of, contact, groups, seen_from
from trainer.normalisation.lines.telling import LEAST_SIDE, lines_in
from trainer.normalisation.strokes import stroke_width

# Lines may be fainter than strokes: what is this much ink, of 255, may be part of one.
FAINT = 24

NEIGHBOURHOOD = np.ones((3, 3), np.uint8)

# Strokes that lie along a line for more than this share of the digit's longer side may have lost a part to it.
MOST_ALONG = 0.35

# Where there are lines, what is less than this share of the digit and lies clear of it in these shares of the picture
# from its left or right, or from its top or bottom, is a dash of a line or a tick.
MOST_AT_BORDER = 0.3
BESIDE = 0.2
ABOVE = 0.12

# A digit touches the lines, or the borders, of so many sides at most; what touches more may be lines itself.
MOST_TOUCHING = 2
MOST_BORDERS = 1

# Where lines were taken away, a digit touches them along no more than so many times its stroke's width, no more than
# this share of its ink lies beside it, and ink taken as foreign within the lines is no more than that of it. What is
# left has ink in a straight line along a border over less than these shares of the longest and the second longest.
# Chosen on `benchmarks.framed_digits`: each flags 1 to 5 % of what is read well.
WIDEST_TOUCH = 2.0
MOST_BESIDE = 0.15
MOST_FOREIGN = 0.08
STRAIGHT = (0.75, 0.55)

# Where no line was told from strokes: ink in straight lines over these shares along the three longest borders, and
# pieces beside the largest of this share of it, are a frame. Of 19,000 pictures without lines 0.1 % are so.
UNTOLD = (0.7, 0.7, 0.6)
UNTOLD_BESIDE = 0.02


@dataclass(frozen=True)
class Cleaning:
    """What to take away from a picture of lines and a digit.

    Attributes:
        lines: (h, w) uint8, 1 where a line is and no stroke of the digit.
        others: (h, w) uint8, 1 where ink is that is neither: what lies beyond the lines, ticks, rounded corners.
        digit: (h, w) uint8, 1 where the digit's ink is, and specks.
        unclear: whether strokes lie along a line, so that the digit may lack a part, or lines may be left that were
            not told from strokes: then `lines` may be empty.
    """

    lines: Bytes
    others: Bytes
    digit: Bytes
    unclear: bool


def cleaning_of(ink: Bytes) -> Cleaning | None:
    """What of the ink (h, w) uint8 is lines; None where nothing looks like one."""
    marks = np.asarray(cv2.threshold(ink, FAINT, 1, cv2.THRESH_BINARY)[1], np.uint8)
    found = lines_in(marks)
    if found:
        return _cleaning(marks, found)
    nothing = np.zeros_like(marks)
    return Cleaning(nothing, nothing, marks, True) if _has_untold_lines(marks) else None


def without(grey: Bytes, cleaning: Cleaning) -> Bytes:
    """The picture (h, w) uint8 with paper where its lines are, as light as the paper around them."""
    taken = cv2.subtract(cv2.dilate(cleaning.lines | cleaning.others, NEIGHBOURHOOD), cleaning.digit)
    paper = 1 - cv2.dilate(cleaning.lines | cleaning.others | cleaning.digit, NEIGHBOURHOOD)
    window = (2 * (max(grey.shape) // 10) + 3,) * 2
    light = cv2.blur((grey * paper).astype(np.float32), window)
    share = cv2.blur(paper.astype(np.float32), window)
    level = float(grey[paper > 0].mean()) if paper.any() else float(grey.max())
    around = np.divide(light, share, out=np.full(grey.shape, level, np.float32), where=share > 0.02)
    return np.where(taken > 0, around, grey).astype(np.uint8)


def _cleaning(marks: Bytes, lines: list[Line]) -> Cleaning:
    bands = bands_of(lines, marks.shape)
    kept, overlap = _crossings(marks, bands, lines)
    rest = np.where(bands & ~kept, np.uint8(0), marks)
    beyond = _beyond(lines, marks.shape)
    count, labels, boxes, _ = cv2.connectedComponentsWithStatsWithAlgorithm(rest, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    if count < 2:
        nothing = np.zeros_like(rest)
        return Cleaning((bands & ~kept).astype(np.uint8), nothing, nothing, False)
    within = np.bincount(labels[~beyond].ravel(), minlength=count)[1:]
    areas = boxes[1:, 4]
    main = int(within.argmax())
    near = cv2.dilate((bands | beyond).astype(np.uint8), NEIGHBOURHOOD)
    near[[0, -1]] = near[:, [0, -1]] = 1
    at_lines = np.bincount(labels[near > 0].ravel(), minlength=count)[1:] > 0
    foreign = (within < 0.5 * areas) | (at_lines & (areas < 0.15 * areas[main]))
    foreign |= (areas < MOST_AT_BORDER * areas[main]) & _at_borders(boxes[1:], main, marks.shape)
    foreign[main] = False
    others = np.concatenate([[False], foreign])[labels].astype(np.uint8)
    digit = (labels == 1 + main).astype(np.uint8)
    kept_ink = np.asarray(cv2.subtract(rest, others), np.uint8)
    unclear = (
        overlap > MOST_ALONG * max(boxes[1 + main, 2:4])
        or _touches_much(digit, lines)
        or cv2.countNonZero(kept_ink) > (1 + MOST_BESIDE) * areas[main]
        or (within[foreign].sum() > MOST_FOREIGN * areas[main] and _touched(digit, lines))
        or _runs_along_borders(kept_ink)
    )
    return Cleaning((bands & ~kept).astype(np.uint8), others, kept_ink, bool(unclear))


def _touched(digit: Bytes, lines: list[Line]) -> set[str]:
    """The sides of which the digit touches a line."""
    return {line.side for line in lines if contact(seen_from(digit, line.side), line)}


def _touches_much(digit: Bytes, lines: list[Line]) -> bool:
    """Whether the digit touches lines or borders so much that it may be part of one, or one part of it."""
    borders = sum(bool(seen_from(digit, side)[:2].any()) for side in "tblr")
    longest = max(contact(seen_from(digit, line.side), line) for line in lines)
    return (
        borders > MOST_BORDERS
        or len(_touched(digit, lines)) > MOST_TOUCHING
        or longest > WIDEST_TOUCH * stroke_width(digit * np.uint8(255))
    )


def _runs_along_borders(marks: Bytes) -> bool:
    """Whether ink runs straight along a border, or along two of them, as a line does."""
    return any(share >= limit for share, limit in zip(straight_shares(marks), STRAIGHT, strict=False))


def _has_untold_lines(marks: Bytes) -> bool:
    """Whether there is a frame of which no line was told from strokes."""
    if min(marks.shape) < LEAST_SIDE or len(sides_worth_a_look(marks)) < len(UNTOLD):
        return False
    _, _, boxes, _ = cv2.connectedComponentsWithStatsWithAlgorithm(marks, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    areas = boxes[1:, 4]
    if areas.sum() <= (1 + UNTOLD_BESIDE) * areas.max():
        return False
    return all(share >= limit for share, limit in zip(straight_shares(marks), UNTOLD, strict=False))


def _at_borders(boxes: npt.NDArray[Any], main: int, shape: tuple[int, ...]) -> Chosen:
    """Which pieces lie beside the main one, or above or below it, and close to a border: the dashes of a line."""
    chosen = np.zeros(len(boxes), np.bool_)
    for axis, share in ((0, BESIDE), (1, ABOVE)):
        start, length, side = boxes[:, axis], boxes[:, axis + 2], shape[1 - axis]
        clear = (start + length <= start[main]) | (start >= start[main] + length[main])
        middle = (start + length / 2) / side
        chosen |= clear & (np.minimum(middle, 1 - middle) <= share)
    return chosen


def _beyond(lines: list[Line], shape: tuple[int, ...]) -> Chosen:
    """(h, w): what lies between a line and its border."""
    beyond = np.zeros(shape, np.uint8)
    for line in lines:
        view = seen_from(beyond, line.side)
        first, last = line.extent
        outside = np.arange(view.shape[0])[:, None] < line.top
        outside[:, :first] = outside[:, last:] = False
        view[outside] = 1
    return beyond > 0


def _crossings(marks: Bytes, bands: Chosen, lines: list[Line]) -> tuple[Chosen, int]:
    """(h, w): where strokes cross lines; and over how many pixels strokes lie along a line at most."""
    kept = np.zeros(marks.shape, np.uint8)
    free = np.where(bands, np.uint8(0), marks)
    most = 0
    for line in lines:
        view, ink = seen_from(kept, line.side), seen_from(free, line.side)
        height, width = ink.shape
        columns = np.arange(width)
        above = (line.top > 0) & (ink[np.clip(line.top - 1, 0, height - 1), columns] > 0)
        below = (line.bottom < height) & (ink[np.clip(line.bottom, 0, height - 1), columns] > 0)
        slack = round(1.5 * line.width) + 2
        for first, last in groups(below):
            most = max(most, last - first)
            for other_first, other_last in groups(above):
                if other_first - last > slack or first - other_last > slack:
                    continue
                corners = [
                    [first, line.bottom[first]],
                    [last - 1, line.bottom[last - 1]],
                    [other_last - 1, line.top[other_last - 1] - 1],
                    [other_first, line.top[other_first] - 1],
                ]
                filled = np.zeros(ink.shape, np.uint8)
                cv2.fillConvexPoly(filled, np.array(corners, np.int32), 1)
                view[filled > 0] = 1
    return (kept > 0) & bands, most
