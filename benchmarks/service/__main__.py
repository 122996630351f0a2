"""`python -m benchmarks.service [--only PART] [--soak MINUTES] [--json FILE]`."""

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import click

from benchmarks.service.capacity import measure_capacity
from benchmarks.service.latencies import measure_latencies
from benchmarks.service.overload import measure_overload
from benchmarks.service.soak import soak as soak_for
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.fetch import ensure_dataset

PARTS = ("latencies", "capacity", "overload")


@click.command()
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Parts to measure; default: all of them.")
@click.option("--requests", default=300, show_default=True, help="For each row of the latencies.")
@click.option(
    "--seconds", default=6.0, show_default=True, help="For each row of the capacity, and a third of overload."
)
@click.option("--soak", type=float, help="Measure this instead: so many minutes under a mixed load.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the soak's curves here, as SVG.")
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
def main(
    only: tuple[str, ...],
    requests: int,
    seconds: float,
    soak: float | None,
    plot: Path | None,
    datasets: Path,
    json_file: Path | None,
) -> None:
    """Measure the service under load."""
    ensure_dataset("mnist", datasets)
    dataset = load_dataset("mnist", datasets)
    figures: dict[str, Any] = {"machine": _machine()}
    if soak is not None:
        figures["soak"] = soak_for(dataset, datasets, minutes=soak, plot=plot)
    for part in [] if soak is not None else only or PARTS:
        click.echo(f"\n{part}")
        figures[part] = measure(part, dataset, datasets, requests, seconds)
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2))


def measure(part: str, dataset: Dataset, datasets: Path, requests: int, seconds: float) -> list[dict[str, Any]]:
    if part == "latencies":
        return measure_latencies(dataset, datasets, requests)
    return (measure_capacity if part == "capacity" else measure_overload)(dataset, datasets, seconds)


def _machine() -> dict[str, Any]:
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": sys.version}


if __name__ == "__main__":
    main()
