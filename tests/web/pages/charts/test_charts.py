"""Charts as data: whatever a training's figures are, what is drawn stays inside its frame."""

import math
import re

import pytest
from flask import Flask, render_template_string
from hypothesis import given
from hypothesis import strategies as st

from tenfold.web.pages.charts.charts import (
    BOTTOM,
    LEFT,
    MAX_MARKS,
    MAX_POINTS,
    MAX_VALUE,
    RIGHT,
    TOP,
    Chart,
    Point,
    Series,
    line_chart,
    nice_ticks,
    percent,
    plain,
    whole_ticks,
)
from tenfold.web.pages.charts.curves import compared_curves, training_curves

figures = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)
bounded = st.floats(-MAX_VALUE, MAX_VALUE)


def drawn(*series: Series, **options: object) -> Chart | None:
    return line_chart("chart", "Loss by epoch", series, x_title="Epoch", **options)  # type: ignore[arg-type]


def of(values: list[float | None], style: int = 1) -> Series:
    points: list[Point] = [(number, value) for number, value in enumerate(values, start=1)]
    return Series("Training", points, style)


def coordinates(chart: Chart) -> list[tuple[float, float]]:
    paths = "".join(line.path for line in chart.lines)
    marks = [(mark.x, mark.y) for line in chart.lines for mark in line.marks]
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+?) ([^ML]+)", paths)] + marks


@given(st.lists(st.lists(figures, max_size=40), max_size=8))
def test_every_point_is_inside_the_frame(runs: list[list[float | None]]) -> None:
    chart = drawn(*(of(values, style) for style, values in enumerate(runs, start=1)))

    if chart is None:
        assert not any(
            value is not None and math.isfinite(value) and abs(value) <= MAX_VALUE for run in runs for value in run
        )
        return
    for x, y in coordinates(chart):
        assert LEFT <= x <= RIGHT
        assert TOP <= y <= BOTTOM


@given(bounded, bounded)
def test_ticks_are_round_cover_the_range_and_are_few(one: float, other: float) -> None:
    low, high = sorted((one, other))

    values, step = nice_ticks(low, high)

    rounding = 1e-9 * step
    assert values[0] <= low + rounding
    assert high <= values[-1] + rounding
    assert 2 <= len(values) <= 8
    assert values == sorted(set(values))
    assert f"{step:.3e}"[0] in "125"


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_epochs_are_whole_and_few(first: int, more: int) -> None:
    ticks = whole_ticks(first, first + more)

    assert ticks[0] == first
    assert ticks[-1] <= first + more
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 11


@given(st.lists(st.floats(0, 10), min_size=MAX_POINTS + 1, max_size=1200))
def test_a_long_training_is_thinned_and_keeps_its_extremes(values: list[float]) -> None:
    chart = drawn(of([*values]))

    assert chart is not None
    [line] = chart.lines
    heights = [float(y) for y in re.findall(r"[ML]\S+? ([^ML]+)", line.path)]
    ends = [float(y) for y in re.findall(r"[ML]\S+? ([^ML]+)", _path_of(min(values), max(values), values))]
    assert len(heights) <= 4 * MAX_POINTS / 3
    assert (max(heights), min(heights)) == (max(ends), min(ends))
    assert len(line.marks) <= MAX_MARKS
    assert line.marks[-1].text.startswith(f"Training, epoch {len(values):g}:")


def _path_of(low: float, high: float, values: list[float]) -> str:
    """The same figures, short enough to be drawn whole."""
    chart = drawn(of([low, high]))
    assert chart is not None
    return chart.lines[0].path


def test_a_figure_that_is_missing_leaves_a_gap() -> None:
    chart = drawn(of([1.0, 0.5, None, math.nan, 0.3, 0.2]))

    assert chart is not None
    assert chart.lines[0].path.count("M") == 2
    assert len(chart.lines[0].marks) == 4


def test_one_point_is_marked_in_the_middle() -> None:
    chart = drawn(of([0.5]))

    assert chart is not None
    [mark] = chart.lines[0].marks
    assert mark.x == (LEFT + RIGHT) / 2


def test_a_line_grows_into_an_axis_that_goes_to_the_last_epoch() -> None:
    chart = drawn(of([0.9, 0.5]), x_end=10)

    assert chart is not None
    assert chart.lines[0].marks[-1].x < (LEFT + RIGHT) / 2
    assert [tick.text for tick in chart.x_ticks] == ["1", "2", "4", "6", "8", "10"]


@pytest.mark.parametrize(
    ("value", "step", "form", "text"),
    [
        (0.975, 0.005, percent, "97.5 %"),
        (0.97, 0.01, percent, "97 %"),
        (0.05, 0.05, plain, "0.05"),
        (1200, 200, plain, "1,200"),
    ],
)
def test_ticks_have_as_many_digits_as_they_need(value: float, step: float, form: object, text: str) -> None:
    assert form(value, step) == text  # type: ignore[operator]


HISTORY = [
    {"epoch": 1, "loss": 0.4, "accuracy": 0.88, "val_loss": 0.3, "val_accuracy": 0.91, "seconds": 1.0},
    {"epoch": 2, "loss": 0.2, "accuracy": 0.94, "val_loss": 0.35, "val_accuracy": 0.9, "seconds": 1.0},
]


def test_a_training_has_a_line_for_each_split_and_says_in_words_what_they_show() -> None:
    accuracy, loss = training_curves(HISTORY, epochs=5)

    assert [line.name for line in accuracy.lines] == ["Training", "Validation"]
    assert "Validation: from 91.00 % to 90.00 %, best 91.00 % after epoch 1." in accuracy.description
    assert "best 0.3000 after epoch 1" in loss.description
    assert training_curves([], epochs=5) == []


def test_without_validation_there_is_no_line_for_it() -> None:
    history = [{"epoch": 1, "loss": 0.4, "accuracy": 0.88, "val_loss": None, "val_accuracy": None, "seconds": 1.0}]

    assert [line.name for chart in training_curves(history, epochs=1) for line in chart.lines] == ["Training"] * 2


def test_a_run_keeps_its_color_in_every_chart() -> None:
    without = [{"epoch": 1, "loss": 0.4, "accuracy": 0.88}]

    charts = compared_curves({"A": without, "B": HISTORY})

    assert {chart.title for chart in charts} == {
        "Validation accuracy by epoch",
        "Validation loss by epoch",
        "Training accuracy by epoch",
        "Training loss by epoch",
    }
    assert {line.style for chart in charts for line in chart.lines if line.name == "B"} == {2}


def test_a_chart_is_drawn_without_inline_style_or_script(app: Flask) -> None:
    [accuracy, _] = training_curves(HISTORY, epochs=2)
    with app.test_request_context():
        svg = render_template_string("{% from 'parts/charts.html' import chart %}{{ chart(c) }}", c=accuracy)

    assert 'role="img"' in svg
    assert "<desc" in svg
    assert "Validation, epoch 2: 90.00 %" in svg
    assert not re.search(r"style=|<style|<script|\bon\w+=", svg)
