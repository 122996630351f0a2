"""Line charts as data: scales, ticks and paths in the units of an SVG's view box. `parts/charts.html` draws them.

A plotting library would write colors into the SVG. Here colors, dashes and fonts are classes in `tenfold.css`, so that
charts follow the theme and need no script and no inline style under the strict Content-Security-Policy.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 50, 350, 10, 184

# Enough at this size; a training can have a thousand epochs.
MAX_POINTS, MAX_MARKS = 300, 24

# Larger values are not drawn: they would leave no visible detail of the others.
MAX_VALUE = 1e12

# By line number: circle, square, triangle, diamond, then the same with other colors and dashes.
MARKERS = (
    "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z",
    "M-2.7 -2.7h5.4v5.4h-5.4Z",
    "M0 -3.6L3.4 2.6H-3.4Z",
    "M0 -4L4 0L0 4L-4 0Z",
)

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Series:
    """Points in ascending order of x. A y of None, NaN or infinity leaves a gap. `style` counts from 1."""

    name: str
    points: Sequence[Point]
    style: int


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A marked point with its tooltip."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    name: str
    style: int
    path: str
    marker: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Chart:
    id: str
    title: str
    description: str
    x_title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]


def line_chart(
    id: str,
    title: str,
    series: Sequence[Series],
    *,
    x_title: str,
    x_end: float | None = None,
    y_text: Callable[[float, float], str] | None = None,
    description: str = "",
) -> Chart | None:
    """A chart of the series that have points; None if none has.

    Args:
        x_end: the minimum end of the axis, for a training that is still running.
        y_text: formats a value, given the step between ticks; default: a plain number.
    """
    drawn = [(one, shown) for one in series if (shown := [p for p in one.points if _drawable(p)])]
    if not drawn:
        return None
    xs = [x for _, shown in drawn for x, _ in shown]
    ys = [y for _, shown in drawn for _, y in shown if y is not None]
    first, last = min(xs), max([*xs, x_end or -math.inf])
    y_values, y_step = nice_ticks(min(ys), max(ys))
    across, up = _scale(first, last, LEFT, RIGHT), _scale(y_values[0], y_values[-1], BOTTOM, TOP)
    text = y_text or plain
    return Chart(
        id=id,
        title=title,
        description=description,
        x_title=x_title,
        x_ticks=tuple(Tick(across(x), f"{x:,}") for x in whole_ticks(first, last)),
        y_ticks=tuple(Tick(up(y), text(y, y_step)) for y in y_values),
        lines=tuple(_line(one, across, up, text, y_step / 100, x_title) for one, _ in drawn),
    )


def nice_ticks(low: float, high: float, most: int = 6) -> tuple[list[float], float]:
    """Round tick values that cover `low` to `high`, and their step: 1, 2 or 5 times a power of ten."""
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        low, high = (low - abs(low) * 0.1, high) if high else (0, 1)
    step = _nice_step((high - low) / (most - 1))
    values = [number * step for number in range(math.floor(low / step), math.ceil(high / step) + 1)]
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(value, digits) for value in values], step


def whole_ticks(first: float, last: float, most: int = 8) -> list[int]:
    """Integer tick values from `first` to `last`."""
    step = max(1, int(_nice_step((last - first) / most))) if last > first else 1
    inner = [number for number in range(0, math.floor(last) + 1, step) if first <= number]
    return inner if step == 1 else sorted({math.ceil(first), *(n for n in inner if n - first >= step / 2)})


def plain(value: float, step: float) -> str:
    """A number with as many digits as the step needs."""
    return f"{value:,.{_digits(step)}f}"


def percent(value: float, step: float) -> str:
    return f"{value * 100:,.{_digits(step * 100)}f} %"


def _digits(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))


def _nice_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _scale(low: float, high: float, begin: float, end: float) -> Callable[[float], float]:
    """Maps low…high to begin…end, and a single value to the middle."""
    if low == high:
        return lambda value: (begin + end) / 2
    return lambda value: round(begin + (value - low) / (high - low) * (end - begin), 1)


def _line(
    series: Series,
    across: Callable[[float], float],
    up: Callable[[float], float],
    text: Callable[[float, float], str],
    fine: float,
    x_title: str,
) -> Line:
    points = _thinned(series.points)
    path, pen = [], "M"
    for point in points:
        x, y = point
        if y is None or not _drawable(point):
            pen = "M"
            continue
        path.append(f"{pen}{across(x)} {up(y)}")
        pen = "L"
    marked = [(x, y) for x, y in _spread(series.points) if y is not None]
    return Line(
        name=series.name,
        style=series.style,
        path="".join(path),
        marker=MARKERS[(series.style - 1) % len(MARKERS)],
        marks=tuple(
            Mark(across(x), up(y), f"{series.name}, {x_title.lower()} {x:g}: {text(y, fine)}") for x, y in marked
        ),
    )


def _drawable(point: Point) -> bool:
    x, y = point
    return y is not None and math.isfinite(x) and math.isfinite(y) and max(abs(x), abs(y)) <= MAX_VALUE


def _spread(points: Sequence[Point]) -> list[Point]:
    """The points to mark: all, or `MAX_MARKS` evenly spaced ones with the last."""
    shown = [point for point in points if _drawable(point)]
    step = -(-len(shown) // MAX_MARKS)
    return shown[::-1][::step][::-1] if shown else []


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """The first, last, lowest and highest point of each of many short sections: the line looks the same."""
    if len(points) <= MAX_POINTS:
        return points
    bounds = [round(number * len(points) / (MAX_POINTS // 3)) for number in range(MAX_POINTS // 3 + 1)]
    kept: list[Point] = []
    for start, stop in pairwise(bounds):
        run = [point for point in points[start:stop] if _drawable(point)] or [points[start]]
        chosen = {run[0], run[-1], min(run, key=_height), max(run, key=_height)}
        kept += [point for point in run if point in chosen]
    return kept


def _height(point: Point) -> float:
    return point[1] if point[1] is not None else 0.0
