"""Lines told from strokes: by where a line lies and ends, and by what touches it."""

from typing import NamedTuple

import cv2
import numpy as np

from trainer.idx import Bytes
from trainer.normalisation.lines.finding import likeliest, sides_worth_a_look
from trainer.normalisation.lines.line import Line, bands_of, contact, seen_from
from trainer.normalisation.strokes import stroke_width

# Of smaller pictures a line is hardly thinner than a stroke.
LEAST_SIDE = 20

# At most so many lines are looked for along a border; a table's doubled lines are two.
MOST_LINES = 3

# A line is no wider than this share of the picture, or two pixels; and it begins and ends this close to a border or to
# another line.
WIDEST = 0.12
ENDS = 0.03

# Of strokes' width: a line that is finer than this is none of the digit's strokes, wherever it lies.
FINE = 0.65

# What has lines on so many sides, of which strokes touch less than this share, is a frame.
FRAMED_SIDES = 3
LEAST_FREE = 0.15

# Beside a line another that is no further from it than this share of the picture doubles it.
DOUBLED = 0.1

# What is left without lines is a digit if its longer side is at least this share of the picture's shorter one.
LEAST_DIGIT = 0.25

# Lines around an empty cell are finer than this share of it: a digit's strokes are wider.
FINE_FRAME = 0.06


class Piece(NamedTuple):
    """A connected piece: its mask (h, w) uint8 of 0 and 1, and its left, top, width and height."""

    mask: Bytes
    box: tuple[int, int, int, int]


def lines_in(marks: Bytes) -> list[Line]:
    """The lines among the marks (h, w) of 0 and 1."""
    if min(marks.shape) < LEAST_SIDE:
        return []
    sides = sides_worth_a_look(marks)
    likely = [line for side in sides if (line := likeliest(marks, side))]
    # First those that run from border to border, or to each other; then those that end somewhere.
    chosen = _told_from_strokes(_joined(likely, marks.shape), [], marks)
    chosen += _told_from_strokes([line for line in likely if line not in chosen], chosen, marks)
    # Behind a line there may be more.
    for _ in range(MOST_LINES - 1 if chosen else 0):
        left = np.where(bands_of(chosen, marks.shape), np.uint8(0), marks)
        have = {line.side for line in chosen}
        more = [line for side in sides if (line := likeliest(left, side, side not in have and len(have) >= 2))]
        added = _told_from_strokes(more, chosen, marks)
        if not added:
            break
        chosen += added
    return chosen


def is_framed(marks: Bytes) -> bool:
    """Whether the marks (h, w) of 0 and 1 have lines along three or four borders, and little that touches them."""
    lines = lines_in(marks)
    if len({line.side for line in lines}) < FRAMED_SIDES:
        return False
    rest = np.where(bands_of(lines, marks.shape), np.uint8(0), marks)
    return float(np.mean([contact(seen_from(rest, line.side), line) / len(line.top) for line in lines])) < LEAST_FREE


def _joined(likely: list[Line], shape: tuple[int, ...]) -> list[Line]:
    """Those of which both ends are at a border, or at another of them."""
    while True:
        joined = [line for line in likely if _ends(line, likely, shape) == 2]
        if len(joined) == len(likely):
            return joined
        likely = joined


def _told_from_strokes(likely: list[Line], chosen: list[Line], marks: Bytes) -> list[Line]:
    """Those of the likely lines that are none of the digit's strokes; of the chosen ones that is known."""
    if not likely:
        return []
    rest = np.where(bands_of(likely + chosen, marks.shape), np.uint8(0), marks)
    digit = _largest(rest)
    if digit is None or max(digit.box[2:]) < LEAST_DIGIT * min(marks.shape):
        empty = len({line.side for line in likely}) >= FRAMED_SIDES
        return likely if empty and all(line.width <= FINE_FRAME * min(marks.shape) for line in likely) else []
    stroke = stroke_width(rest * np.uint8(255))
    told = [line for line in likely if _is_line(line, likely, chosen, digit, stroke)]
    return told if len(told) == len(likely) else _told_from_strokes(told, chosen, marks)


def _is_line(line: Line, likely: list[Line], chosen: list[Line], digit: Piece, stroke: float) -> bool:
    shape = digit.mask.shape
    view = seen_from(digit.mask, line.side)
    fine = line.width <= FINE * stroke
    supporting = chosen or likely
    if not fine and len(chosen or likely) < 3 and view[-2:].any():
        return False
    ends = _ends(line, supporting, shape)
    if ends < 2 and not fine and contact(view, line):
        return False
    if ends == 0 and not chosen:
        return False
    beside = [other.depth for other in chosen if other.side == line.side]
    if not beside:
        return True
    return line.depth - min(beside) <= DOUBLED * view.shape[0] and (ends == 2 or not contact(view, line))


def _ends(line: Line, others: list[Line], shape: tuple[int, ...]) -> int:
    """How many of its ends are at a border or at another line."""
    length = shape[1] if line.side in "tb" else shape[0]
    near = 1 + ENDS * length
    places = [(0.0, near), (float(length), near)]
    for other in others:
        if (other.side in "tb") != (line.side in "tb"):
            spots = (other.top + other.bottom) / 2
            depth = float(spots.mean())
            slack = near + other.width + float(np.ptp(spots)) / 2
            places.append((length - depth if other.side in "br" else depth, slack))
    ends = sum(any(abs(end - place) <= slack for place, slack in places) for end in line.extent)
    return max(ends, 1) if any(_parallel(line, other, near) for other in others) else ends


def _parallel(line: Line, other: Line, near: float) -> bool:
    """Whether the other line is on the opposite side, and begins and ends where this one does."""
    opposite = {line.side, other.side} in ({"t", "b"}, {"l", "r"})
    return opposite and all(abs(one - two) <= 2 * near for one, two in zip(line.extent, other.extent, strict=True))


def _largest(marks: Bytes) -> Piece | None:
    count, labels, boxes, _ = cv2.connectedComponentsWithStatsWithAlgorithm(marks, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    if count < 2:
        return None
    largest = 1 + int(boxes[1:, 4].argmax())
    left, top, width, height = boxes[largest, :4].tolist()
    return Piece((labels == largest).astype(np.uint8), (left, top, width, height))
