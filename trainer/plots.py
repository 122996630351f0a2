"""The pictures of a training, as PNG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trainer.checkpoints import EpochResult
from trainer.idx import Bytes

DPI = 110
TRAINING, VALIDATION = "#1f5fbf", "#d9822b"
MISTAKES_IN_A_ROW = 8


def plot_curves(history: Sequence[EpochResult], path: Path) -> None:
    """Loss and accuracy by epoch, training and validation."""
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
    """Loss and accuracy by epoch of several runs of one recipe: each run thin, their mean thick."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [result.epoch for result in histories[0]]
    splits = [("training", "", TRAINING)]
    if histories[0][0].val_loss is not None:
        splits.append(("validation", "val_", VALIDATION))
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for label, prefix, colour in splits:
            runs = np.array([[getattr(result, prefix + name) for result in history] for history in histories])
            axes.plot(epochs, runs.T, color=colour, alpha=0.35, lw=0.8)
            axes.plot(epochs, runs.mean(axis=0), color=colour, lw=2, label=f"{label}, mean of {len(runs)}")
        _finish_curves(axes, name)
    figure.savefig(path, dpi=DPI)


def plot_confusion(confusion: npt.NDArray[np.int64], class_names: Sequence[str], path: Path) -> None:
    """Images by true and predicted class; the shade is the share of the true class, so that mistakes show."""
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(7, 6.2), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(np.eye(len(confusion), dtype=bool), np.nan, shares)
    axes.imshow(np.where(np.isnan(mistakes), 1.0, 0.0), cmap="Greens", vmin=0, vmax=3)
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(float(np.nanmax(mistakes)), 1e-9) * 1.3)
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            weight = "bold" if row == column else "normal"
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=9, fontweight=weight)
    positions = range(len(class_names))
    axes.set_xticks(positions, class_names)
    axes.set_yticks(positions, class_names)
    right = confusion.trace()
    axes.set(xlabel="predicted", ylabel="true", title=f"{right:,} of {confusion.sum():,} right")
    axes.spines[:].set_visible(False)
    figure.savefig(path, dpi=DPI)


def plot_mistakes(
    images: Bytes,
    true: Sequence[str],
    predicted: Sequence[str],
    confidences: Sequence[float],
    path: Path,
) -> None:
    """A sheet of wrongly classified images (n, 28, 28), each with its true and its predicted label."""
    rows = max(1, -(-len(images) // MISTAKES_IN_A_ROW))
    figure = Figure(figsize=(MISTAKES_IN_A_ROW * 1.25, rows * 1.5 + 0.4), layout="constrained")
    title = "Worst mistakes: true → predicted (confidence)" if len(images) else "No mistakes"
    figure.suptitle(title, fontsize=11)
    grid: Any = figure.subplots(rows, MISTAKES_IN_A_ROW, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, truth, label, confidence in zip(grid.flat, images, true, predicted, confidences, strict=False):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(f"{truth} → {label}  ({confidence:.0%})", fontsize=8)
    figure.savefig(path, dpi=DPI)


def _finish_curves(axes: Any, name: str) -> None:
    axes.set(title=name.capitalize(), xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
