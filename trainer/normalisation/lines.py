"""The lines of a box or a table in a picture of a digit: found along the borders, and taken away.

A line is told from a stroke by where it lies, how far it runs and how even it is. Where a stroke crosses a line, the
stroke stays; where it is not clear what is line and what is stroke, that is said.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.strokes import stroke_width

Numbers = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]

# Lines may be fainter than strokes: what is this much ink, of 255, may be part of one.
FAINT = 24

NEIGHBOURHOOD = np.ones((3, 3), np.uint8)

# A line's middle lies in this share of the picture from a border, and the line turns by at most some six degrees.
ZONE = 0.25
MOST_TURN = 0.105

# Ink in at least this share of a border's columns or rows, within the zone, is looked at more closely.
WORTH_A_LOOK = 0.5

# The picture is cut into so many columns where lines are looked for.
COLUMNS = 20

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

# Of the picture's side: a line is at least this long, and its gaps are no longer than this.
SHORTEST = 0.4
LONGEST_GAP = 0.3

# By so many pixels the edges of a line stray from a straight line, as a root mean square.
MOST_BEND = 0.6

# What has lines on so many sides, of which strokes touch less than this share, is a frame.
FRAMED_SIDES = 3
LEAST_FREE = 0.15

# Of a line's ink, strokes touch it along no more than this share.
MOST_TOUCHED = 0.6

# Beside a line another that is no further from it than this share of the picture doubles it.
DOUBLED = 0.1

# What is left without lines is a digit if its longer side is at least this share of the picture's shorter one.
LEAST_DIGIT = 0.25

# Lines around an empty cell are finer than this share of it: a digit's strokes are wider.
FINE_FRAME = 0.06

# Strokes that lie along a line for more than this share of the digit's longer side may have lost a part to it.
MOST_ALONG = 0.35

# Where there are lines, what is less than this share of the digit and lies clear of it in these shares of the picture
# from its left or right, or from its top or bottom, is a dash of a line or a tick.
MOST_AT_BORDER = 0.3
BESIDE = 0.2
ABOVE = 0.12

# A digit touches the lines of so many sides at most; what touches more may be lines itself.
MOST_TOUCHING = 2


@dataclass(frozen=True, eq=False)
class Line:
    """A line that runs along the top of a picture, or of a turned view of it.

    Attributes:
        side: `t`, `b`, `l` or `r`.
        top, bottom: (w,) of each column the first row of the line and the first after it.
        present: (w,) whether the line has ink in that column; a dotted line has gaps.
        touched: (w,) whether a stroke touches or crosses it there.
        width: the line's, in pixels.
        bend: by how many pixels its edges stray from a straight line, as a root mean square.
    """

    side: str
    top: npt.NDArray[np.int64]
    bottom: npt.NDArray[np.int64]
    present: Chosen
    touched: Chosen
    width: float
    bend: float

    @property
    def depth(self) -> float:
        """How far from its border the line is, in pixels."""
        return float(self.top.mean())

    @property
    def extent(self) -> tuple[int, int]:
        columns = np.flatnonzero(self.present)
        return int(columns[0]), int(columns[-1]) + 1


class Piece(NamedTuple):
    """A connected piece: its mask (h, w) uint8 of 0 and 1, and its left, top, width and height."""

    mask: Bytes
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Cleaning:
    """What to take away from a picture of lines and a digit.

    Attributes:
        lines: (h, w) uint8, 1 where a line is and no stroke of the digit.
        others: (h, w) uint8, 1 where ink is that is neither: what lies beyond the lines, ticks, rounded corners.
        digit: (h, w) uint8, 1 where the digit's ink is, and specks.
        unclear: whether strokes lie along a line, so that the digit may lack a part, or be what lines
            of a table are left.
    """

    lines: Bytes
    others: Bytes
    digit: Bytes
    unclear: bool


def cleaning_of(ink: Bytes) -> Cleaning | None:
    """What of the ink (h, w) uint8 is lines; None where there are none."""
    marks = np.asarray(cv2.threshold(ink, FAINT, 1, cv2.THRESH_BINARY)[1], np.uint8)
    found = lines_in(marks)
    return _cleaning(marks, found) if found else None


def is_framed(marks: Bytes) -> bool:
    """Whether the marks (h, w) of 0 and 1 have lines along three or four borders, and little that touches them."""
    lines = lines_in(marks)
    if len({line.side for line in lines}) < FRAMED_SIDES:
        return False
    rest = np.where(_bands(lines, marks.shape), np.uint8(0), marks)
    return float(np.mean([_contact(seen_from(rest, line.side), line) / len(line.top) for line in lines])) < LEAST_FREE


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
        left = np.where(_bands(chosen, marks.shape), np.uint8(0), marks)
        more = [line for side in sides if (line := likeliest(left, side))]
        added = _told_from_strokes(more, chosen, marks)
        if not added:
            break
        chosen += added
    return chosen


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
    rest = np.where(_bands(likely + chosen, marks.shape), np.uint8(0), marks)
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
    if ends < 2 and not fine and _contact(view, line):
        return False
    if ends == 0 and not chosen:
        return False
    beside = [other.depth for other in chosen if other.side == line.side]
    if not beside:
        return True
    return line.depth - min(beside) <= DOUBLED * view.shape[0] and (ends == 2 or not _contact(view, line))


def _contact(digit: Bytes, line: Line) -> int:
    """In how many columns the digit touches the line."""
    height, columns = digit.shape[0], np.arange(digit.shape[1])
    above = (line.top > 0) & (digit[np.clip(line.top - 1, 0, height - 1), columns] > 0)
    below = (line.bottom < height) & (digit[np.clip(line.bottom, 0, height - 1), columns] > 0)
    return int((above | below).sum())


def _even(line: Line, shape: tuple[int, ...]) -> bool:
    height, width = shape if line.side in "tb" else shape[::-1]
    first, last = line.extent
    gap = int(np.diff(np.flatnonzero(line.present)).max(initial=1)) - 1
    return bool(
        line.width <= max(2, WIDEST * height)
        and last - first >= SHORTEST * width
        and gap <= max(2, LONGEST_GAP * width)
        and line.touched.sum() <= MOST_TOUCHED * line.present.sum()
        and line.bend <= MOST_BEND + 0.05 * line.width + 0.004 * width
    )


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


def _bands(lines: list[Line], shape: tuple[int, ...]) -> Chosen:
    bands = np.zeros(shape, np.uint8)
    for line in lines:
        view = seen_from(bands, line.side)
        rows = np.arange(view.shape[0])[:, None]
        first, last = line.extent
        inside = (rows >= line.top) & (rows < line.bottom)
        inside[:, :first] = inside[:, last:] = False
        view[inside] = 1
    return bands > 0


def _largest(marks: Bytes) -> Piece | None:
    count, labels, boxes, _ = cv2.connectedComponentsWithStatsWithAlgorithm(marks, 8, cv2.CV_16U, cv2.CCL_SPAGHETTI)
    if count < 2:
        return None
    largest = 1 + int(boxes[1:, 4].argmax())
    left, top, width, height = boxes[largest, :4].tolist()
    return Piece((labels == largest).astype(np.uint8), (left, top, width, height))


def _cleaning(marks: Bytes, lines: list[Line]) -> Cleaning:
    bands = _bands(lines, marks.shape)
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
    longer = max(boxes[1 + main, 2:4])
    touched = {line.side for line in lines if _contact(seen_from(digit, line.side), line)}
    return Cleaning(
        (bands & ~kept).astype(np.uint8),
        others,
        np.asarray(cv2.subtract(rest, others), np.uint8),
        bool(overlap > MOST_ALONG * longer or len(touched) > MOST_TOUCHING),
    )


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
        for first, last in _groups(below):
            most = max(most, last - first)
            for other_first, other_last in _groups(above):
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


def _groups(chosen: Chosen) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def seen_from(picture: npt.NDArray[np.uint8], side: str) -> npt.NDArray[np.uint8]:
    """A view of the picture in which the side is the top."""
    if side == "t":
        return picture
    if side == "b":
        return picture[::-1]
    return picture.T if side == "l" else picture.T[::-1]


def sides_worth_a_look(marks: Bytes) -> str:
    """Of the sides `tblr` those along which there is ink enough for a line."""
    height, width = marks.shape
    rows, columns = max(2, round(ZONE * height)), max(2, round(ZONE * width))
    share = {
        "t": cv2.countNonZero(cv2.reduce(marks[:rows], 0, cv2.REDUCE_MAX)) / width,
        "b": cv2.countNonZero(cv2.reduce(marks[-rows:], 0, cv2.REDUCE_MAX)) / width,
        "l": cv2.countNonZero(cv2.reduce(np.ascontiguousarray(marks[:, :columns]), 1, cv2.REDUCE_MAX)) / height,
        "r": cv2.countNonZero(cv2.reduce(np.ascontiguousarray(marks[:, -columns:]), 1, cv2.REDUCE_MAX)) / height,
    }
    return "".join(side for side in "tblr" if share[side] >= WORTH_A_LOOK)


def likeliest(marks: Bytes, side: str) -> Line | None:
    """What may be a line along a side of the marks (h, w) of 0 and 1."""
    view = np.ascontiguousarray(seen_from(marks, side))
    row, fall, share = _straightest(view)
    line = _traced(view, row, fall, side) if share >= SHORTEST else None
    return line if line and _even(line, marks.shape) else None


def _straightest(marks: Bytes) -> tuple[float, float, float]:
    """The row at the middle, the fall over the whole width in pixels, and the share of the width with ink.

    Of the picture cut into some twenty columns: a line turned by six degrees falls by a pixel in one of them.
    """
    height, width = marks.shape
    zone, most = max(2, round(ZONE * height)), max(1, round(MOST_TURN * width))
    starts = np.linspace(0, width, min(width // 2, COLUMNS), endpoint=False).astype(int)
    strip = cv2.copyMakeBorder(marks[: zone + most], most, max(0, zone + most - height), 0, 0, cv2.BORDER_CONSTANT)
    inked = np.maximum.reduceat(strip, starts, axis=1)
    falls = np.array(sorted(range(-most, most + 1, 1 if width < 80 else 2), key=abs))
    offsets = np.round(falls[:, None] * np.linspace(-0.5, 0.5, len(starts))).astype(int)
    rows = np.arange(zone)[:, None] + most + offsets[:, None]
    sums = inked[rows, np.arange(len(starts))].sum(axis=2)
    best = sums.max(axis=1)
    chosen = int((best >= best.max() - 0.02 * len(starts)).argmax())  # the least turned
    same = np.flatnonzero(sums[chosen] >= best[chosen] - 0.03 * len(starts))
    same = same[: 1 + int((np.diff(same, append=zone + 9) > 1).argmax())]  # the first such rows next to each other
    return float(same.mean()), float(falls[chosen]), float(best[chosen] / len(starts))


def _traced(marks: Bytes, row: float, fall: float, side: str) -> Line | None:
    """The line of which the middle is at this row and falls by so much; None where there is too little of it."""
    height, width = marks.shape
    columns, reach = np.arange(width), max(3, round(WIDEST * height)) + 2
    centre = np.round(row + fall * (columns / max(1, width - 1) - 0.5)).astype(int).clip(0, height - 1)
    padded = cv2.copyMakeBorder(marks, reach + 2, reach + 2, 0, 0, cv2.BORDER_CONSTANT)
    window = padded[centre + np.arange(2 * reach + 5)[:, None], columns]
    middle = reach + 2
    # The run of marks at the middle, or next to it.
    start = np.select(
        [window[middle] > 0, window[middle - 1] > 0, window[middle + 1] > 0], [middle, middle - 1, middle + 1]
    )
    present = start > 0
    steps = np.arange(reach + 1)[:, None]
    above = np.where(present, window[start - steps, columns].argmin(axis=0), 0)
    below = np.where(present, window[start + steps, columns].argmin(axis=0), 0)
    for run in (above, below):  # longer than what was looked at
        run[present & (run == 0)] = reach + 1
    thickness = (above + below - 1)[present]
    if len(thickness) < SHORTEST / 2 * width:
        return None
    line_width = float(np.sort(thickness)[int(0.4 * len(thickness))])
    touched = present.copy()
    touched[present] = thickness > line_width + max(1, 0.35 * line_width)
    clean = columns[present & ~touched]
    if len(clean) < 3:
        return None
    top, bottom = centre - middle + start - above + 1, centre - middle + start + below
    bend = max(_straying(clean, top[clean]), _straying(clean, bottom[clean]))
    first, after = (
        np.round(np.interp(columns, clean, edge[clean])).astype(int).clip(0, height) for edge in (top, bottom)
    )
    return Line(side, first, after, present, touched, line_width, bend)


def _straying(columns: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> float:
    """The root mean square of what is left of rows when a straight line through them is taken away."""
    across, down = columns - columns.mean(), rows - rows.mean()
    slope = (across @ down) / max(across @ across, 1)
    rest = down - slope * across
    return float(np.sqrt(rest @ rest / len(rest)))
