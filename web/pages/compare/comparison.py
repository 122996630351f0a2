"""Trainings side by side: curves in one chart, figures with the best marked, parameters with differences marked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from tenfold.web.pages.charts.charts import Chart
from tenfold.web.pages.charts.curves import compared_curves
from tenfold.web.pages.compare.runs import SUCCEEDED, Run
from tenfold.web.pages.parts.parameter_table import ParameterRow, parameter_rows

# As many as there are distinguishable line styles.
MAX_RUNS = 8


Show = Callable[[float], str]


def _percent(value: float) -> str:
    return f"{value * 100:.2f} %"


@dataclass(frozen=True)
class Figure:
    """A figure to compare: its name in `Run.figures`, and its format.

    `best` picks the best of several values; None if no value is better than another. Values are comparable if the runs
    have equal `alike` parameters.
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
    Figure("calibration_error", "Calibration error (ECE)", _percent, min, ("dataset",)),
    Figure("parameter_count", "Parameters", "{:,.0f}".format, min),
    Figure("epochs", "Epochs", "{:.0f}".format, None),
    Figure("seconds", "Training time", "{:,.1f} s".format, min, ("dataset",)),
)


@dataclass(frozen=True)
class FigureRow:
    """The values as text in the order of the runs, and which of them are the best among finished runs: none if all are
    equal or not comparable."""

    title: str
    values: tuple[str, ...]
    best: tuple[bool, ...]


@dataclass(frozen=True)
class Comparison:
    """`names` are the letters of the runs, in the order of `runs`."""

    runs: Sequence[Run]
    names: tuple[str, ...]
    charts: list[Chart]
    figures: list[FigureRow]
    parameters: list[ParameterRow]

    @property
    def differences(self) -> list[ParameterRow]:
        return [row for row in self.parameters if row.differs]


def compare(runs: Sequence[Run]) -> Comparison:
    """Compare up to `MAX_RUNS` runs."""
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
    """None if no run has the figure."""
    values = [run.figures.get(figure.name) for run in runs]
    if all(value is None for value in values):
        return None
    final = {value for value, run in zip(values, runs, strict=True) if value is not None and run.state == SUCCEEDED}
    best = figure.best(final) if figure.best and len(final) > 1 and _comparable(figure, runs) else None
    return FigureRow(
        title=figure.title,
        values=tuple("–" if value is None else figure.show(value) for value in values),
        best=tuple(value is not None and value == best for value in values),
    )


def _comparable(figure: Figure, runs: Sequence[Run]) -> bool:
    return all(len({str(run.parameters.get(name)) for run in runs}) == 1 for name in figure.alike)
