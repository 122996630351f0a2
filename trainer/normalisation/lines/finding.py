"""What may be a line along a border: straight, of even width, and with few gaps."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.normalisation.lines.line import Line, seen_from

Indices = npt.NDArray[np.int64]

# A line's middle lies in this share of the picture from a border, and the line turns by at most some six degrees.
ZONE = 0.25
MOST_TURN = 0.105

# Ink in at least this share of a border's columns or rows, within the zone, is looked at more closely.
WORTH_A_LOOK = 0.5

# The picture is cut into so many columns where lines are looked for.
COLUMNS = 20

# A line is no wider than this share of the picture, or two pixels; and it begins and ends this close to a border or to
# another line.
WIDEST = 0.12
WIDEST_AMONG_LINES = 0.16
ENDS = 0.03

# Of the picture's side: a line is at least this long, and its gaps are no longer than this.
SHORTEST = 0.4
LONGEST_GAP = 0.3

# By so many pixels the edges of a line stray from a straight line, as a root mean square.
MOST_BEND = 0.6

# And by this share of its width: thick lines are printed less evenly.
BEND = 0.05
BEND_AMONG_LINES = 0.25

# Of a line's ink, strokes touch it along no more than this share.
MOST_TOUCHED = 0.6


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


def likeliest(marks: Bytes, side: str, among_lines: bool = False) -> Line | None:
    """What may be a line along a side of the marks (h, w) of 0 and 1.

    Args:
        among_lines: two other borders have lines, so that a wider and less even one is likely here.
    """
    view = np.ascontiguousarray(seen_from(marks, side))
    row, fall, share = _straightest(view)
    if share < SHORTEST:
        return None
    height, width = view.shape
    widest, bend = (WIDEST_AMONG_LINES, BEND_AMONG_LINES) if among_lines else (WIDEST, BEND)
    line = _traced(view, row, fall, side, max(2, widest * height))
    return line if line and line.bend <= MOST_BEND + bend * line.width + 0.004 * width else None


def straight_shares(marks: Bytes) -> list[float]:
    """Of each border, the longest first, the share along which ink lies in one straight line."""
    return sorted((_straightest(np.ascontiguousarray(seen_from(marks, side)))[2] for side in "tblr"), reverse=True)


@lru_cache(maxsize=32)
def _slopes(height: int, width: int) -> tuple[Indices, Indices, Indices, Indices]:
    """Where lines of each slope lie in a picture of this size that was cut into some twenty columns.

    Returns:
        where each column starts; the columns themselves; by how many pixels a line of each slope falls over the whole
        width, the least turned first; and (slopes, rows, columns) the row of each in the strip of `_straightest`.
    """
    zone, most = max(2, round(ZONE * height)), max(1, round(MOST_TURN * width))
    starts = np.linspace(0, width, min(width // 2, COLUMNS), endpoint=False).astype(int)
    falls = np.array(sorted(range(-most, most + 1, 1 if width < 80 else 2), key=abs))
    offsets = np.round(falls[:, None] * np.linspace(-0.5, 0.5, len(starts))).astype(int)
    return starts, np.arange(len(starts)), falls, np.arange(zone)[:, None] + most + offsets[:, None]


def _straightest(marks: Bytes) -> tuple[float, float, float]:
    """The row at the middle, the fall over the whole width in pixels, and the share of the width with ink.

    Of the picture cut into some twenty columns: a line turned by six degrees falls by a pixel in one of them.
    """
    height, width = marks.shape
    zone, most = max(2, round(ZONE * height)), max(1, round(MOST_TURN * width))
    starts, columns, falls, rows = _slopes(height, width)
    strip = cv2.copyMakeBorder(marks[: zone + most], most, max(0, zone + most - height), 0, 0, cv2.BORDER_CONSTANT)
    inked = np.maximum.reduceat(strip, starts, axis=1)
    sums = inked[rows, columns].sum(axis=2)
    best = sums.max(axis=1)
    chosen = int((best >= best.max() - 0.02 * len(starts)).argmax())  # the least turned
    same = np.flatnonzero(sums[chosen] >= best[chosen] - 0.03 * len(starts))
    same = same[: 1 + int((np.diff(same, append=zone + 9) > 1).argmax())]  # the first such rows next to each other
    return float(same.mean()), float(falls[chosen]), float(best[chosen] / len(starts))


def _traced(marks: Bytes, row: float, fall: float, side: str, widest: float) -> Line | None:
    """The line of which the middle is at this row and falls by so much; None where it is too short, has too large a
    gap, is wider than `widest` pixels, or is touched too much."""
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
    thickness, inked = (above + below - 1)[present], np.flatnonzero(present)
    if len(inked) < SHORTEST / 2 * width or inked[-1] + 1 - inked[0] < SHORTEST * width:
        return None
    if int(np.diff(inked).max(initial=1)) - 1 > max(2, LONGEST_GAP * width):
        return None
    line_width = float(np.sort(thickness)[int(0.4 * len(thickness))])
    touched = present.copy()
    touched[present] = thickness > line_width + max(1, 0.35 * line_width)
    if line_width > widest or touched.sum() > MOST_TOUCHED * len(inked):
        return None
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
