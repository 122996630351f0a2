"""Learning curves as charts: one training by split, or several trainings in one chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from tenfold.web.pages.charts.charts import Chart, Point, Series, line_chart, percent

History = Sequence[Mapping[str, Any]]

TRAINING, VALIDATION = "Training", "Validation"

# The prefix of figures in Keras' history, by split.
SPLITS = {TRAINING: "", VALIDATION: "val_"}

FIGURES = {"accuracy": "Accuracy", "loss": "Loss"}


def training_curves(
    history: History, *, epochs: int, validation: str = VALIDATION, summary: Mapping[str, Any] | None = None
) -> list[Chart]:
    """Accuracy and loss by epoch, for both splits if there are two; empty before the end of the first epoch.

    Args:
        epochs: the planned number, which sets the end of the axis.
        validation: the name of the second split.
        summary: of a successful training; its test figures are added to the charts.
    """
    charts = []
    for figure, title in FIGURES.items():
        series = [
            Series(TRAINING, points_of(history, figure), 1),
            Series(validation, points_of(history, f"val_{figure}"), 2),
        ]
        if summary and history:
            series.append(Series("Test (final)", [(len(history), summary.get(f"test_{figure}"))], 3))
        charts.append(
            line_chart(
                f"curve-{figure}",
                f"{title} by epoch",
                series,
                x_title="Epoch",
                x_end=epochs,
                y_text=percent if figure == "accuracy" else None,
                description=_in_words(series, figure),
            )
        )
    return [chart for chart in charts if chart]


def compared_curves(histories: Mapping[str, History]) -> list[Chart]:
    """A chart for each figure and split, with a line for each run.

    Args:
        histories: by the name of the run; the order determines color and dash.
    """
    charts = []
    for split in (VALIDATION, TRAINING):
        for figure in FIGURES:
            name = SPLITS[split] + figure
            series = [
                Series(run, points_of(history, name), style)
                for style, (run, history) in enumerate(histories.items(), start=1)
            ]
            charts.append(
                line_chart(
                    f"compare-{name.replace('_', '-')}",
                    f"{split} {figure} by epoch",
                    series,
                    x_title="Epoch",
                    y_text=percent if figure == "accuracy" else None,
                    description=_in_words(series, figure),
                )
            )
    return [chart for chart in charts if chart]


def points_of(history: History, name: str) -> list[Point]:
    return [(epoch.get("epoch", number), epoch.get(name)) for number, epoch in enumerate(history, start=1)]


def _in_words(series: Sequence[Series], figure: str) -> str:
    """The description of the chart for screen readers."""
    best_of = max if figure == "accuracy" else min
    sentences = []
    for one in series:
        points = [(x, y) for x, y in one.points if y is not None]
        if len(points) == 1:
            sentences.append(f"{one.name}: {_text(points[0][1], figure)}.")
        elif points:
            best_x, best = best_of(points, key=lambda point: point[1])
            sentences.append(
                f"{one.name}: from {_text(points[0][1], figure)} to {_text(points[-1][1], figure)}, "
                f"best {_text(best, figure)} after epoch {best_x:g}."
            )
    return " ".join(sentences)


def _text(value: float, figure: str) -> str:
    return f"{value * 100:.2f} %" if figure == "accuracy" else f"{value:.4f}"
