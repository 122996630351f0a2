"""Plots of trainings and sweeps, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tenfold.trainer.evaluation.calibration import Calibration
from tenfold.trainer.training.checkpoints import EpochResult

DPI = 110
TRAINING, VALIDATION = "#1f5fbf", "#d9822b"
# Values that span more than this factor get a logarithmic axis.
LOG_ABOVE = 30


def plot_curves(history: Sequence[EpochResult], path: Path) -> None:
    """Plot training and validation loss and accuracy by epoch."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [result.epoch for result in history]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(epochs, [getattr(r, name) for r in history], color=TRAINING, marker="o", ms=4, label="training")
        if history[0].val_loss is not None:
            validation = [getattr(result, f"val_{name}") for result in history]
            axes.plot(epochs, validation, color=VALIDATION, marker="o", ms=4, label="validation")
        _finish_curves(axes, name)
    figure.savefig(path, dpi=DPI)


def plot_runs(histories: Sequence[Sequence[EpochResult]], path: Path) -> None:
    """Plot loss and accuracy by epoch of several runs of a recipe: each run thin, their mean thick."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [result.epoch for result in histories[0]]
    splits = [("training", "", TRAINING)]
    if histories[0][0].val_loss is not None:
        splits.append(("validation", "val_", VALIDATION))
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for label, prefix, color in splits:
            runs = np.array([[getattr(result, prefix + name) for result in history] for history in histories])
            axes.plot(epochs, runs.T, color=color, alpha=0.35, lw=0.8)
            axes.plot(epochs, runs.mean(axis=0), color=color, lw=2, label=f"{label}, mean of {len(runs)}")
        _finish_curves(axes, name)
    figure.savefig(path, dpi=DPI)


def plot_sweep(ranking: Sequence[Mapping[str, Any]], searched: Sequence[str], objective: str, file: BinaryIO) -> None:
    """Plot the objective of each trial by its number and by each hyperparameter; pruned trials are hollow.

    Args:
        ranking: each trial's number (`trial`), `state`, `values` and objective, which may be None.
        searched: the names of the hyperparameters.
        objective: its name; one with `accuracy` in it is maximized, others are minimized.
        file: gets the PNG.
    """
    trials = sorted((row for row in ranking if row[objective] is not None), key=lambda row: row["trial"])
    figures = [row[objective] for row in trials]
    better = max if "accuracy" in objective else min
    best = better(figures) if figures else 0.0
    columns = min(3, len(searched) + 1)
    rows = -(-(len(searched) + 1) // columns)
    figure = Figure(figsize=(4 * columns, 3.2 * rows), layout="constrained")
    panels: Any = figure.subplots(rows, columns, squeeze=False, sharey=True)
    colors = [VALIDATION if value == best else TRAINING for value in figures]
    filled = [color if row["state"] == "succeeded" else "none" for color, row in zip(colors, trials, strict=True)]
    dots = {"s": 28, "edgecolors": colors, "facecolors": filled}
    first, *others = panels.flat
    first.scatter([row["trial"] for row in trials], figures, **dots)
    so_far = [better(figures[: index + 1]) for index in range(len(figures))]
    first.step([row["trial"] for row in trials], so_far, where="post", color="gray", lw=1, label="best so far")
    first.set(xlabel="trial", ylabel=objective.replace("_", " "))
    first.xaxis.set_major_locator(MaxNLocator(integer=True))
    first.legend(frameon=False)
    for axes, name in zip(others, searched, strict=False):
        _scatter_by_value(axes, [row["values"][name] for row in trials], figures, dots)
        axes.set(xlabel=name.replace("_", " "))
    for axes in panels.flat[len(searched) + 1 :]:
        axes.axis("off")
    for axes in panels.flat[: len(searched) + 1]:
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=DPI, format="png")


def _scatter_by_value(axes: Any, values: Sequence[Any], figures: Sequence[float], dots: dict[str, Any]) -> None:
    """Numbers on a numeric axis, choices side by side in order."""
    if all(isinstance(value, int | float) for value in values):
        axes.scatter(values, figures, **dots)
        if values and min(values) > 0 and max(values) / min(values) > LOG_ABOVE:
            axes.set_xscale("log")
        return
    choices = sorted(
        set(values), key=lambda choice: [(not part.isdigit(), part.zfill(9)) for part in choice.split(",")]
    )
    axes.scatter([choices.index(value) for value in values], figures, **dots)
    axes.set_xticks(range(len(choices)), choices)
    axes.margins(x=0.2)


def plot_reliability(calibration: Calibration, path: Path) -> None:
    """Plot accuracy and image counts by confidence, before and after temperature scaling."""
    figure = Figure(figsize=(7, 6.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color="gray", lw=1, ls=":", label="perfect calibration")
    shown = ((calibration.before, TRAINING, "before"), (calibration.after, VALIDATION, "after temperature scaling"))
    for measured, color, label in shown:
        points = [
            point for point in zip(measured.confidence, measured.accuracy, measured.images, strict=True) if point[2]
        ]
        upper.plot(
            [point[0] for point in points],
            [point[1] for point in points],
            color=color,
            marker="o",
            ms=5,
            label=f"{label}: calibration error (ECE) {measured.error:.2%}",
        )
    upper.set(ylabel="accuracy", ylim=(0, 1.02), title=f"Calibration (temperature {calibration.temperature:.2f})")
    upper.legend(frameon=False)
    width = 1 / len(calibration.before.images)
    edges = [index * width for index in range(len(calibration.before.images))]
    lower.bar(edges, calibration.before.images, width=width * 0.92, align="edge", color=TRAINING, alpha=0.7)
    lower.set(xlabel="confidence", ylabel="images", yscale="symlog", xlim=(0, 1))
    for axes in (upper, lower):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=DPI)


def _finish_curves(axes: Any, name: str) -> None:
    axes.set(title=name.capitalize(), xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
