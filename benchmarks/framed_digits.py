"""Cells of forms and tables made of real MNIST digits: a digit and the lines of its box, whole or in part.

Each frame takes a generator and draws lines; `framed` lays a digit (28, 28) uint8, light on dark, into one and gives a
gray picture (h, w) uint8 as a scanner or a phone sees it. They are renderings, no scans.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes

Values = npt.NDArray[np.float32]
Point = tuple[float, float]
Line = tuple[Point, Point]

# Lines are drawn so many times as large and averaged down, so that their edges are soft.
FINER = 4

# Luminance of pens and of printed lines on white paper, of 255: black, blue, red, gray; drop-out colors are light.
PENS = (20, 45, 70, 90, 110)
LINES = (10, 30, 60, 90, 120, 150, 180)


class Frame(NamedTuple):
    """Lines in shares of the picture's sides, (0, 0) its top left; their width in shares of its shorter side.

    Attributes:
        dash, gap: in widths of the line; a gap of 0 is a solid line.
    """

    lines: list[Line]
    width: float
    dash: float = 1.0
    gap: float = 0.0


def box(rng: np.random.Generator) -> Frame:
    """Four thin lines, at the borders or up to 12 % inside."""
    return Frame(_sides(_insets(rng), "tblr"), _thin(rng))


def thick_box(rng: np.random.Generator) -> Frame:
    return Frame(_sides(_insets(rng, most=0.06), "tblr"), rng.uniform(0.05, 0.1))


def some_sides(rng: np.random.Generator) -> Frame:
    """One to three sides of a box."""
    chosen = rng.permutation(list("tblr"))[: rng.integers(1, 4)]
    return Frame(_sides(_insets(rng), "".join(chosen)), _thin(rng))


def corner(rng: np.random.Generator) -> Frame:
    """Two lines that meet in a corner, and end somewhere along the cell."""
    top, left = rng.uniform(0.01, 0.1, 2)
    across, down = rng.uniform(0.5, 1, 2)
    lines = [((left, top), (across, top)), ((left, top), (left, down))]
    return Frame([_turned_quarters(line, int(rng.integers(4))) for line in lines], _thin(rng))


def tee(rng: np.random.Generator) -> Frame:
    """A rule from border to border, with a stub of the next row's rule beyond it."""
    level, place = rng.uniform(0.08, 0.16), rng.uniform(0.1, 0.9)
    lines = [((0.0, level), (1.0, level)), ((place, 0.0), (place, level))]
    quarters = int(rng.integers(4))
    return Frame([_turned_quarters(line, quarters) for line in lines], _thin(rng))


def grid(rng: np.random.Generator) -> Frame:
    """Lines that run on beyond the corners, as a table's do."""
    return Frame(_sides(rng.uniform(0.04, 0.15, 4), "tblr", beyond=True), _thin(rng))


def comb(rng: np.random.Generator) -> Frame:
    """A bottom rule with a short tick at each end."""
    bottom, up = 1 - rng.uniform(0, 0.1), rng.uniform(0.6, 0.9)
    left, right = rng.uniform(0, 0.08), 1 - rng.uniform(0, 0.08)
    lines = [((0.0, bottom), (1.0, bottom)), ((left, bottom), (left, up)), ((right, bottom), (right, up))]
    return Frame(lines, _thin(rng))


def dotted(rng: np.random.Generator) -> Frame:
    width = rng.uniform(0.015, 0.035)
    return Frame(_sides(_insets(rng), _three_or_four(rng)), width, dash=1, gap=rng.uniform(1, 2))


def dashed(rng: np.random.Generator) -> Frame:
    return Frame(_sides(_insets(rng), _three_or_four(rng)), _thin(rng), dash=rng.uniform(3, 8), gap=rng.uniform(1.5, 3))


def rounded(rng: np.random.Generator) -> Frame:
    """A box with corners that are quarters of a circle."""
    top, bottom, left, right = _insets(rng)
    bottom, right, radius = 1 - bottom, 1 - right, rng.uniform(0.06, 0.15)
    turns = [
        (x + radius * np.cos(angle), y + radius * np.sin(angle))
        for x, y, first in (
            (right - radius, bottom - radius, 0),
            (left + radius, bottom - radius, 90),
            (left + radius, top + radius, 180),
            (right - radius, top + radius, 270),
        )
        for angle in np.radians(np.arange(first, first + 91, 15))
    ]
    return Frame(list(zip(turns, turns[1:] + turns[:1], strict=True)), _thin(rng))


def doubled(rng: np.random.Generator) -> Frame:
    """Two lines side by side on two to four sides."""
    chosen = "".join(rng.permutation(list("tblr"))[: rng.integers(2, 5)])
    outer, apart = rng.uniform(0, 0.05, 4), rng.uniform(0.04, 0.07)
    lines = _sides(outer, chosen, beyond=True) + _sides(outer + apart, chosen, beyond=True)
    return Frame(lines, rng.uniform(0.01, 0.02))


def broken(rng: np.random.Generator) -> Frame:
    """A box whose lines the scanner lost in places."""
    lines = []
    for (x1, y1), (x2, y2) in _sides(_insets(rng), "tblr"):
        start, end = sorted(rng.uniform(0.1, 0.9, 2))
        end = min(end, start + 0.25)
        lines += [
            ((x1, y1), (x1 + start * (x2 - x1), y1 + start * (y2 - y1))),
            ((x1 + end * (x2 - x1), y1 + end * (y2 - y1)), (x2, y2)),
        ]
    return Frame(lines, _thin(rng))


FRAMES: dict[str, Callable[[np.random.Generator], Frame]] = {
    frame.__name__: frame
    for frame in (box, thick_box, some_sides, corner, tee, grid, comb, dotted, dashed, rounded, doubled, broken)
}


def framed(digit: Bytes, kind: str, rng: np.random.Generator, neighbor: Bytes | None = None) -> Bytes:
    """A digit in a frame of one of the kinds `FRAMES`: a picture (h, w) uint8 of 24 to 200 pixels a side.

    Args:
        neighbor: a digit of the next cell, the tail of which reaches in from a border.
    """
    height = round(float(np.exp(rng.uniform(np.log(24), np.log(200)))))
    width = round(height * rng.uniform(0.75, 1.2))
    # A line is a pixel wide at least, half of it gone where the scanner cut it.
    frame = FRAMES[kind](rng)
    tilt = float(rng.choice([0, rng.uniform(-2, 2), rng.uniform(-5, 5)], p=[0.4, 0.4, 0.2]))
    lines = _drawn(frame._replace(width=max(frame.width, 1 / min(height, width))), height, width, tilt)
    strokes = _placed(digit, height, width, rng)
    if neighbor is not None:
        strokes = np.maximum(strokes, _reaching_in(neighbor, height, width, rng))
    return _seen(strokes, lines, rng)


def cells(digits: Bytes, kind: str, seed: int) -> Iterator[Bytes]:
    """Each of the digits (n, 28, 28) uint8 in a frame of the kind, one in five with a neighbor's tail."""
    rng = np.random.default_rng(seed)
    for digit in digits:
        neighbor = digits[rng.integers(len(digits))] if rng.random() < 0.2 else None
        yield framed(digit, kind, rng, neighbor)


def _thin(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.01, 0.04))


def _insets(rng: np.random.Generator, most: float = 0.12) -> npt.NDArray[np.float64]:
    """Of top, bottom, left and right line; one frame in three lies on the borders."""
    return np.zeros(4) if rng.random() < 0.33 else rng.uniform(0, most, 4)


def _three_or_four(rng: np.random.Generator) -> str:
    return "tblr".replace(str(rng.choice(list("tblr"))), "") if rng.random() < 0.5 else "tblr"


def _sides(insets: npt.NDArray[np.float64], chosen: str, beyond: bool = False) -> list[Line]:
    """Lines of a box; a missing side's neighbors run to the border, as all do where they run `beyond` the corners."""
    top, bottom, left, right = (float(inset) for inset in insets)
    bottom, right = 1 - bottom, 1 - right
    first_x, last_x = (left if "l" in chosen and not beyond else 0.0), (right if "r" in chosen and not beyond else 1.0)
    first_y, last_y = (top if "t" in chosen and not beyond else 0.0), (bottom if "b" in chosen and not beyond else 1.0)
    lines: dict[str, Line] = {
        "t": ((first_x, top), (last_x, top)),
        "b": ((first_x, bottom), (last_x, bottom)),
        "l": ((left, first_y), (left, last_y)),
        "r": ((right, first_y), (right, last_y)),
    }
    return [lines[side] for side in chosen]


def _turned_quarters(line: Line, quarters: int) -> Line:
    for _ in range(quarters):
        line = tuple((1 - y, x) for x, y in line)  # type: ignore[assignment]
    return line


def _drawn(frame: Frame, height: int, width: int, tilt: float) -> Values:
    """The lines as ink (height, width) float32 in 0–1, turned by some degrees."""
    canvas = np.zeros((height * FINER, width * FINER), np.uint8)
    size = np.array([width, height], np.float64) * FINER
    thick = max(1, round(frame.width * min(height, width) * FINER))
    turn, middle = cv2.getRotationMatrix2D((0, 0), tilt, 1)[:, :2], size / 2
    for start, end in frame.lines:
        # A line on the border lies half inside of it.
        one, other = (np.asarray(point) * size for point in (start, end))
        for first, last in _dashes(one, other, thick, frame):
            ends = [np.round(turn @ (point - middle) + middle).astype(int).tolist() for point in (first, last)]
            cv2.line(canvas, ends[0], ends[1], 255, thick)
    return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)


def _dashes(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], thick: int, frame: Frame
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    length = float(np.hypot(*(other - one)))
    if not frame.gap or not length:
        yield one, other
        return
    along, dash, step = (other - one) / length, frame.dash * thick, (frame.dash + frame.gap) * thick
    for start in np.arange(0, length, step):
        # Drawn lines end half their width after their last point.
        yield one + along * start, one + along * min(start + max(dash - thick, 0), length)


def _placed(digit: Bytes, height: int, width: int, rng: np.random.Generator) -> Values:
    """The digit's strokes in the cell: 45 to 85 % of its height, sometimes over the lines."""
    inked = _cut(digit)
    share = rng.uniform(0.45, 0.85)
    scale = min(share * height / inked.shape[0], 0.85 * width / inked.shape[1])
    size = max(3, round(inked.shape[1] * scale)), max(6, round(inked.shape[0] * scale))
    strokes = np.asarray(
        cv2.resize(inked, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8
    )
    if scale > 2:
        strokes = _as_pen(strokes, rng)
    free_x, free_y = width - size[0], height - size[1]
    left = round(free_x / 2 + rng.normal(0, 0.22) * free_x)
    top = round(free_y / 2 + rng.normal(0, 0.22) * free_y)
    field = np.zeros((height, width), np.float32)
    top, left = min(max(top, 0), free_y), min(max(left, 0), free_x)
    field[top : top + size[1], left : left + size[0]] = strokes / 255
    return field


def _as_pen(strokes: Bytes, rng: np.random.Generator) -> Bytes:
    """Enlarged ink with its edges sharp, thinner or thicker than it came, if it stays whole."""
    solid = np.asarray((strokes > 110) * np.uint8(255), np.uint8)
    thickness = min(float(cv2.distanceTransform(solid, cv2.DIST_L2, 3).max()), min(solid.shape) / 4)
    change = round(rng.uniform(-0.45, 0.3) * thickness)
    if change:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(change) + 1,) * 2)
        changed = np.asarray((cv2.erode if change < 0 else cv2.dilate)(solid, disc), np.uint8)
        if cv2.connectedComponents(changed)[0] == cv2.connectedComponents(solid)[0]:
            solid = changed
    return np.asarray(cv2.GaussianBlur(solid, (3, 3), 0), np.uint8)


def _reaching_in(neighbor: Bytes, height: int, width: int, rng: np.random.Generator) -> Values:
    """Up to a tenth of the cell at one border is the next cell's digit."""
    inked = _cut(neighbor)
    size = max(2, round(width * rng.uniform(0.4, 0.6))), max(2, round(height * rng.uniform(0.5, 0.7)))
    strokes = np.asarray(cv2.resize(inked, size, interpolation=cv2.INTER_AREA), np.float32) / 255
    depth = max(1, round(min(height, width) * rng.uniform(0.04, 0.1)))
    field = np.zeros((height, width), np.float32)
    side = int(rng.integers(4))
    if side < 2:
        start = int(rng.integers(0, width - size[0] + 1))
        part = strokes[-depth:] if side == 0 else strokes[:depth]
        field[slice(0, depth) if side == 0 else slice(height - len(part), None), start : start + size[0]] = part
    else:
        start = int(rng.integers(0, height - size[1] + 1))
        part = strokes[:, -depth:] if side == 2 else strokes[:, :depth]
        columns = slice(0, part.shape[1]) if side == 2 else slice(width - part.shape[1], None)
        field[start : start + size[1], columns] = part
    return field


def _seen(strokes: Values, lines: Values, rng: np.random.Generator) -> Bytes:
    """Strokes and lines on paper: one bit a pixel, a clean scan, or a photo with noise, shade, blur and JPEG."""
    pen, line = float(rng.choice(PENS)), float(rng.choice(LINES))
    paper = rng.uniform(215, 255)
    light = np.minimum(1 - strokes * (1 - pen / 255), 1 - lines * (1 - line / 255))
    look = rng.choice(["bits", "scan", "photo"], p=[0.35, 0.35, 0.3])
    if look == "bits":
        return np.asarray((np.maximum(strokes, lines) < 0.45) * np.uint8(255), np.uint8)
    if look == "scan":
        return np.asarray((light * paper).clip(0, 255), np.uint8)
    height, width = light.shape
    slope = rng.uniform(-0.15, 0.15, 2)
    shade = 1 + slope[0] * np.linspace(-1, 1, height)[:, None] + slope[1] * np.linspace(-1, 1, width)
    blurred = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, max(0.4, min(height, width) / 100)))
    gray = (blurred * shade * paper * 0.85 + rng.normal(0, rng.uniform(1, 6), light.shape)).clip(0, 255)
    _, data = cv2.imencode(".jpg", gray.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _cut(digit: Bytes) -> Bytes:
    rows, columns = np.flatnonzero(digit.max(axis=1) > 64), np.flatnonzero(digit.max(axis=0) > 64)
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
