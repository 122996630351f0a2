"""Draws the curves: shards a second by workers, and what the databases let through."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.scale.conclusions import laws

Row = dict[str, Any]

COLORS = {"sqlite": "#0b6e99", "postgresql": "#b3541e"}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def draw(rows: Sequence[Row], directory: Path) -> None:
    """Write `scaling-workers.svg` and `scaling-databases.svg`."""
    matplotlib.rcParams.update({"svg.fonttype": "path", "svg.hashsalt": "tenfold", "font.size": 9})
    _draw_workers(rows, directory / "scaling-workers.svg")
    _draw_databases(rows, directory / "scaling-databases.svg")


def _draw_workers(rows: Sequence[Row], path: Path) -> None:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, work, title in zip(figure.subplots(1, 2), ("sleep", "spin"), ("that wait", "that compute"), strict=True):
        curves = [row for row in rows if row["part"] == "workers" and row["work"] == work]
        axes.set(title=f"Shards of {curves[0]['milliseconds']} ms {title}", xlabel="workers", ylabel="shards a second")
        for (database, of_work), law in laws(rows).items():
            if of_work == work:
                seen = [row for row in curves if row["database"] == database]
                color = COLORS[database]
                _points(axes, seen, "workers", color, f"{NAMES[database]}, measured")
                across = np.linspace(1, max(row["workers"] for row in seen), 100)
                axes.plot(across, [law.at(n) for n in across], color=color, linewidth=1, label="its fitted law")
        _baseline(axes, curves, work)
        _finish(axes)
    figure.savefig(path, metadata={"Date": None})


def _baseline(axes: Axes, curves: Sequence[Row], work: str) -> None:
    workers = sorted({row["workers"] for row in curves})
    if work == "spin":
        rates = [max(row["bare_a_second"] for row in curves if row["workers"] == n) for n in workers]
        axes.plot(workers, rates, "--", color="gray", linewidth=1, label="bare processes")
        return
    axes.plot(workers, [1000 * n / curves[0]["milliseconds"] for n in workers], "--", color="gray", linewidth=1)
    axes.lines[-1].set_label("if the rest cost nothing")
    axes.set_ylim(0, 1.3 * max(row["a_second"] for row in curves))


def _draw_databases(rows: Sequence[Row], path: Path) -> None:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    found = [row for row in rows if row["part"] == "contention"]
    for axes, action, title in zip(
        figure.subplots(1, 2),
        ("bare UPDATE", "step"),
        ("A bare UPDATE and COMMIT", "A step: claim and hand-in"),
        strict=True,
    ):
        axes.set(title=title, xlabel="at once", ylabel="a second")
        for database, color in COLORS.items():
            for kind, style in (("processes", "o-"), ("threads", "x:")):
                seen = [
                    row
                    for row in found
                    if row["action"] == action
                    and row["database"] == database
                    and (row["kind"] == kind or row["claimants"] == 1)
                ]
                if seen:
                    axes.plot(
                        [row["claimants"] for row in seen],
                        [row["a_second"] for row in seen],
                        style,
                        color=color,
                        markersize=4,
                        linewidth=1,
                        label=f"{NAMES[database]}, {kind}",
                    )
        _finish(axes)
    figure.savefig(path, metadata={"Date": None})


def _points(axes: Axes, rows: Sequence[Row], across: str, color: str, label: str) -> None:
    axes.plot([row[across] for row in rows], [row["a_second"] for row in rows], "o", color=color, label=label)


def _finish(axes: Axes) -> None:
    axes.set_xlim(0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
