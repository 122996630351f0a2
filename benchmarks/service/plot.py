"""Draws the curves of a soak."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

WIDTH_INCHES, HEIGHT_INCHES = 9, 6


def draw(roles: dict[str, Any], path: Path) -> None:
    """Memory above, open files below, a line for each kind of process."""
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
    memory, files = figure.subplots(2, 1, sharex=True)
    for role, curves in roles.items():
        minutes = [second / 60 for second in curves["seconds"]]
        memory.plot(minutes, curves["memory_mb"], label=role)
        files.plot(minutes, curves["open_files"], label=role)
    memory.set_ylabel("memory, MB")
    files.set_ylabel("open files")
    files.set_xlabel("minutes")
    for axes in (memory, files):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    memory.legend(loc="upper left", ncols=len(roles), fontsize="small")
    figure.savefig(path)
