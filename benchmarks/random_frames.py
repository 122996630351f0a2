"""Random lines around random digits, and which ink is the digit's: what the network for lines is fitted on.

More varied than forms are: each side has its own chance of a line, of any width, kind, place and length. The frames of
`benchmarks.framed_digits`, on which the result is measured, are drawn by code of their own.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.random_strokes import placed, specks, tail_of
from tenfold.trainer.arrays import Bytes

Values = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

# Lines are drawn so many times as large and averaged down.
FINER = 3

SIDES = "tblr"


class Sample(NamedTuple):
    """A picture (h, w) uint8 of dark ink on light paper, and the digit's strokes and the other ink on it, each 0–1."""

    gray: Bytes
    strokes: Values
    others: Values


class Style(NamedTuple):
    """How a frame is drawn: `width` in shares of the picture's shorter side, `turn` in degrees."""

    width: float
    kind: str
    ends: str
    turn: float


def sample(digits: Bytes, rng: np.random.Generator) -> Sample:
    """One of the digits (n, 28, 28) uint8 in a random frame, in one of five in none; rarely an empty frame."""
    height = round(float(np.exp(rng.uniform(np.log(24), np.log(150)))))
    width = max(20, round(height * float(np.exp(rng.normal(0, 0.22)))))
    strokes = others = np.zeros((height, width), np.float32)
    framed = rng.random() < 0.8
    if framed:
        others = _frame(height, width, rng)
    if not framed or rng.random() > 0.04:
        strokes = placed(digits, height, width, rng, framed)
    if framed and rng.random() < 0.25:
        others = np.maximum(others, tail_of(digits, height, width, rng))
    if rng.random() < 0.08:
        others = np.maximum(others, specks(height, width, rng))
    return Sample(_seen(strokes, others, rng), strokes, others)


def _frame(height: int, width: int, rng: np.random.Generator) -> Values:
    least = 1.0 if rng.random() < 0.5 else 0.6
    sides = [side for side in SIDES if rng.random() < least] or [SIDES[rng.integers(4)]]
    canvas = np.zeros((height * FINER, width * FINER), np.uint8)
    depths = np.zeros(4) if rng.random() < 0.25 else rng.uniform(-0.01, rng.choice([0.06, 0.12, 0.25]), 4)
    if rng.random() < 0.3:
        depths[:] = depths[0]
    insets = dict(zip(SIDES, depths.tolist(), strict=True))
    turn = float(rng.choice([0, rng.normal(0, 1), rng.uniform(-6, 6)], p=[0.3, 0.5, 0.2]))
    ends = str(rng.choice(["corner", "beyond", "anywhere", "short"], p=[0.45, 0.25, 0.2, 0.1]))
    style = Style(_width(rng), _kind(rng), ends, turn)
    alike = rng.random() < 0.5
    for side in sides:
        if not alike:
            style = style._replace(width=_width(rng) if rng.random() < 0.6 else style.width)
            style = style._replace(kind=_kind(rng) if rng.random() < 0.6 else style.kind)
        _draw_side(canvas, side, insets, sides, style, rng)
        if rng.random() < 0.12:
            second = insets[side] + rng.uniform(0.03, 0.1) * rng.choice([-1, 1])
            _draw_side(canvas, side, {**insets, side: second}, sides, style, rng)
    if rng.random() < 0.12:
        _draw_stubs(canvas, insets, style.width, rng)
    lines = np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    return _worn(lines, rng) if rng.random() < 0.25 else lines


def _width(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(0.01), np.log(0.13))))


def _kind(rng: np.random.Generator) -> str:
    return str(rng.choice(["solid", "dashed", "dotted", "broken"], p=[0.56, 0.27, 0.09, 0.08]))


def _draw_side(
    canvas: Bytes, side: str, insets: dict[str, float], sides: list[str], style: Style, rng: np.random.Generator
) -> None:
    """A line along a side, that bows and is turned a little."""
    height, width = canvas.shape
    first, last = _ends(side, insets, sides, style.ends, rng)
    along, ramp = np.linspace(first, last, 25), np.linspace(-1, 1, 25)
    bow = rng.normal(0, 0.006) * np.sin(np.linspace(0, rng.uniform(1, 7), 25))
    depth = insets[side] + rng.normal(0, 0.004) + bow + rng.normal(0, 0.008) * ramp
    across = depth if side in "tl" else 1 - depth
    points = np.stack([along, across] if side in "tb" else [across, along], axis=1)
    size = np.array([width, height], np.float64)
    matrix = cv2.getRotationMatrix2D((0, 0), style.turn, 1)[:, :2]
    points = (points - 0.5) * size @ matrix.T + size / 2
    pixels = max(FINER, round(style.width * min(height, width)))
    for part in _parts(points, pixels, style.kind, rng):
        cv2.polylines(canvas, [np.round(part * 8).astype(np.int32)], False, 255, pixels, shift=3)
        if style.kind != "solid" and pixels > 2 * FINER and rng.random() < 0.1:
            blot = round(pixels * rng.uniform(0.5, 0.9))
            cv2.circle(canvas, np.round(part[0]).astype(int).tolist(), blot, 255, -1)


def _ends(
    side: str, insets: dict[str, float], sides: list[str], ends: str, rng: np.random.Generator
) -> tuple[float, float]:
    """Where a side's line begins and ends, in shares of the picture's side; beyond it where it is cut off."""
    before, after = "lr" if side in "tb" else "tb"
    first, last = (insets[before] if before in sides else -0.1), (1 - insets[after] if after in sides else 1.1)
    if ends == "beyond":
        return -0.1, 1.1
    if ends == "anywhere":
        return rng.uniform(-0.05, 0.3), 1 - rng.uniform(-0.05, 0.3)
    if ends == "short" and rng.random() < 0.6:
        return (-0.1, rng.uniform(0.3, 0.8)) if rng.random() < 0.5 else (rng.uniform(0.2, 0.7), 1.1)
    return first, last


def _parts(points: Points, pixels: int, kind: str, rng: np.random.Generator) -> list[Points]:
    """The polyline (n, 2), or its dashes."""
    if kind == "solid":
        return [points]
    length = float(np.hypot(*(points[-1] - points[0])))
    spans: list[tuple[float, float]] = []
    if kind == "broken":
        gap, at = rng.uniform(0.05, 0.3), rng.uniform(0.1, 0.8)
        spans = [(0.0, at), (min(at + gap, 1.0), 1.0)]
    else:
        dash = pixels * (rng.uniform(0.8, 1.3) if kind == "dotted" else float(np.exp(rng.uniform(0, np.log(8)))))
        dash, gap = max(dash, FINER), max(pixels * rng.uniform(0.6, 2.5), 1.5 * FINER)
        uneven, at = float(rng.choice([0, 0.25])), -rng.uniform(0, dash + gap)
        while at < length:
            # A drawn line ends half its width after its last point.
            run = max(1.0, dash * (1 + uneven * rng.normal()) - pixels)
            spans.append((max(0.0, at) / length, min(length, at + run) / length))
            at += max(1.0, (dash + gap) * (1 + uneven * rng.normal() / 2))
    whole = np.linspace(0, 1, len(points))
    spots = [np.linspace(start, end, 4) for start, end in spans if end > start]
    return [np.stack([np.interp(spot, whole, points[:, axis]) for axis in (0, 1)], axis=1) for spot in spots]


def _draw_stubs(canvas: Bytes, insets: dict[str, float], share: float, rng: np.random.Generator) -> None:
    """Lines of the cells beside this one, from the border to this one's lines."""
    height, width = canvas.shape
    pixels = max(FINER, round(share * min(height, width)))
    for side in SIDES:
        if rng.random() < 0.5:
            continue
        place, depth = rng.uniform(0.05, 0.95), max(insets[side], 0.02)
        start, end = (0.0, depth) if side in "tl" else (1 - depth, 1.0)
        points = np.array([(place, start), (place, end)] if side in "tb" else [(start, place), (end, place)])
        one, other = np.round(points * (width, height)).astype(int).tolist()
        cv2.line(canvas, one, other, 255, pixels)


def _worn(lines: Values, rng: np.random.Generator) -> Values:
    """Printed badly: eaten away, or grown, in places."""
    height, width = lines.shape
    coarse = rng.normal(0, 1, (max(2, height // int(rng.integers(2, 8))), max(2, width // int(rng.integers(2, 8)))))
    noise = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(lines, (0, 0), max(0.5, min(height, width) / 90))
    return np.clip((soft + 0.18 * noise * (soft > 0.05) - 0.3) / 0.3, 0, 1).astype(np.float32)


def _seen(strokes: Values, others: Values, rng: np.random.Generator) -> Bytes:
    """Strokes and lines on paper: one bit a pixel, a clean scan, or a photo with noise, shade, blur and JPEG."""
    pen, line = (1.0, 1.0) if rng.random() < 0.35 else (rng.uniform(0.35, 1), rng.uniform(0.25, 1))
    look = rng.choice(["bits", "scan", "photo"], p=[0.4, 0.3, 0.3])
    height, width = strokes.shape
    if look == "bits":
        together = np.maximum(strokes, others)
        if rng.random() < 0.5:
            together = cv2.GaussianBlur(together, (0, 0), rng.uniform(0.3, 0.9)) + rng.normal(0, 0.08, strokes.shape)
        return np.asarray((together < rng.uniform(0.3, 0.6)) * np.uint8(255), np.uint8)
    through_pen, through_line = 1 - strokes * pen, 1 - others * line
    light = np.minimum(through_pen, through_line) if rng.random() < 0.5 else through_pen * through_line
    paper = rng.uniform(190, 255)
    if look == "scan":
        return np.asarray((light * paper).clip(0, 255), np.uint8)
    slope = rng.uniform(-0.15, 0.15, 2)
    shade = 1 + slope[0] * np.linspace(-1, 1, height)[:, None] + slope[1] * np.linspace(-1, 1, width)
    blurred = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, max(0.5, min(height, width) / 50)))
    gray = (blurred * shade * paper * 0.85 + rng.normal(0, rng.uniform(1, 9), light.shape)).clip(0, 255)
    _, data = cv2.imencode(".jpg", gray.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
