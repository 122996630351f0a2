"""Classifies one zip in one way on one core and prints JSON: `python -m benchmarks.classifying floor ZIP MODEL`."""

import importlib
import json
import os
from pathlib import Path

import click

from benchmarks.classifying import Timing


@click.command()
@click.argument("name")
@click.argument("archive", type=click.Path(exists=True, path_type=Path))
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--limit", type=int, default=10**9, help="Take no more images than this.")
@click.option("--core", type=int, default=0, show_default=True)
def main(name: str, archive: Path, model: Path, limit: int, core: int) -> None:
    os.sched_setaffinity(0, {core})
    way = importlib.import_module(f"benchmarks.classifying.{name}")
    timing: Timing = way.classify(archive, model, limit)
    print(json.dumps({"images": timing.images, "seconds": timing.seconds, "rate": timing.images_a_second}))


if __name__ == "__main__":
    main()
