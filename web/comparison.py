"""Runs side by side: curves over each other, figures with the best marked, parameters with what differs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from web.charts import Chart
from web.curves import compared_curves
from web.parameter_table import ParameterRow, parameter_rows
from web.runs import SUCCEEDED, Run

# As many as there are lines that can be told apart.
MOST_RUNS = 8


Show = Callable[[float], str]


def _percent(value: float) -> str:
    return f"{value * 100:.2f} %"


@dataclass(frozen=True)
class Figure:
    """A figure that is compared: its name in a run's figures, and how it is written.

    `best` picks the best of several values, where there is such a thing. Values count as measured alike where the runs
    have these parameters in common.
    """

    name: str
    title: str
    show: Show
    best: Callable[[Iterable[float]], float] | None
    alike: tuple[str, ...] = ()


FIGURES = (
    Figure("test_accuracy", "Test accuracy", _percent, max, ("dataset",)),
    Figure("test_loss", "Test loss", "{:.4f}".format, min, ("dataset", "label_smoothing")),
    Figure("val_accuracy", "Validation accuracy", _percent, max, ("dataset", "validation", "validation_split", "seed")),
    Figure("train_accuracy", "Training accuracy", _percent, None),
    Figure("calibration_error", "Calibration error", _percent, min, ("dataset",)),
    Figure("parameter_count", "Parameters", "{:,.0f}".format, min),
    Figure("epochs", "Epochs", "{:.0f}".format, None),
    Figure("seconds", "Training time", "{:,.1f} s".format, min, ("dataset",)),
)


@dataclass(frozen=True)
class FigureRow:
    """The values as text, in the order of the runs, and which of them are the best of the finished runs: none where all
    are the same, or were not measured alike."""

    title: str
    values: tuple[str, ...]
    best: tuple[bool, ...]


@dataclass(frozen=True)
class Comparison:
    """`names` are the letters by which the runs are called, in the order of `runs`."""

    runs: Sequence[Run]
    names: tuple[str, ...]
    charts: list[Chart]
    figures: list[FigureRow]
    parameters: list[ParameterRow]

    @property
    def differences(self) -> list[ParameterRow]:
        return [row for row in self.parameters if row.differs]


def compare(runs: Sequence[Run]) -> Comparison:
    """Compare up to `MOST_RUNS` runs."""
    names = tuple(ascii_uppercase[: len(runs)])
    labels = [f"{name} {run.recipe}" for name, run in zip(names, runs, strict=True)]
    return Comparison(
        runs=runs,
        names=names,
        charts=compared_curves({label: run.history for label, run in zip(labels, runs, strict=True)}),
        figures=[row for figure in FIGURES if (row := _figure_row(figure, runs))],
        parameters=parameter_rows([run.parameters for run in runs]),
    )


def _figure_row(figure: Figure, runs: Sequence[Run]) -> FigureRow | None:
    """None where no run has the figure."""
    values = [run.figures.get(figure.name) for run in runs]
    if all(value is None for value in values):
        return None
    final = {value for value, run in zip(values, runs, strict=True) if value is not None and run.state == SUCCEEDED}
    best = figure.best(final) if figure.best and len(final) > 1 and _measured_alike(figure, runs) else None
    return FigureRow(
        title=figure.title,
        values=tuple("–" if value is None else figure.show(value) for value in values),
        best=tuple(value is not None and value == best for value in values),
    )


def _measured_alike(figure: Figure, runs: Sequence[Run]) -> bool:
    return all(len({str(run.parameters.get(name)) for run in runs}) == 1 for name in figure.alike)
