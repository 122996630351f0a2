"""Images classified a second, side by side in one call: `python -m benchmarks.bulk [--json FILE]`.

For MNIST's test images as PNGs, and for larger scans: the plain script, the careful script, Tenfold's worker, and the
floor (decoding and the net's matrix products); then two worker processes on two cores against one. See
docs/benchmarks/bulk.md.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.classifying import workers
from benchmarks.classifying.zips import write_digits, write_scans
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.fetch import ensure_dataset

WAYS = ("plain", "careful", "tenfold", "floor")

# The scripts take so long that a part of the images tells their speed.
LIMITS = {"plain": 200, "careful": 5000}
WARM_UP_IMAGES = 2000
CORES = (0, 1)


@click.command()
@click.option("--images", default=100_000, show_default=True, help="Members of the zip of 28×28 PNGs.")
@click.option("--scans", default=10_000, show_default=True, help="Members of the zip of larger scans.")
@click.option("--rounds", default=3, show_default=True, help="Measure each way so often, in turn; the fastest counts.")
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows here.")
def main(images: int, scans: int, rounds: int, datasets: Path, json_file: Path | None) -> None:
    """Compare ways to classify a zip of images."""
    ensure_dataset("mnist", datasets)
    dataset = load_dataset("mnist", datasets)
    rows = []
    click.echo(f"{'images a second':16}" + "".join(f"{way:>9}" for way in WAYS) + "  vs careful  vs floor  two workers")
    with TemporaryDirectory() as directory:
        model, archive = Path(directory) / "model" / "model.keras", Path(directory) / "images.zip"
        model.parent.mkdir()
        _run([sys.executable, "-m", "benchmarks.classifying.trained", str(datasets), str(model.parent)])
        for name, count, write in (("digits", images, write_digits), ("scans", scans, write_scans)):
            write(dataset, count, archive)
            write(dataset, WARM_UP_IMAGES, archive.with_name("warm-up.zip"))
            rows.append(_compare(name, count, archive, model, rounds))
            click.echo(_line(rows[-1]))
    if json_file:
        json_file.write_text(json.dumps({"machine": _machine(), "rows": rows}, indent=2))


def _compare(name: str, count: int, archive: Path, model: Path, rounds: int) -> dict[str, Any]:
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            rates[way].append(_rate(way, archive, model))
    one, two = (workers.measure(archive, model, CORES[:n]).images_a_second for n in (1, 2))
    row: dict[str, Any] = {"set": name, "images": count}
    row |= {way: max(rates[way]) for way in WAYS}
    return row | {"one_worker": one, "two_workers": two, "two_workers_ratio": two / one}


def _rate(way: str, archive: Path, model: Path) -> float:
    limit = ["--limit", str(LIMITS[way])] if way in LIMITS else []
    printed = _run([sys.executable, "-m", "benchmarks.classifying", way, str(archive), str(model), *limit])
    rate: float = json.loads(printed.splitlines()[-1])["rate"]
    return rate


def _run(command: list[str]) -> str:
    done = subprocess.run(command, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _line(row: dict[str, Any]) -> str:
    rates = "".join(f"{row[way]:9,.0f}" for way in WAYS)
    gain, share = row["tenfold"] / row["careful"], row["tenfold"] / row["floor"]
    return f"{row['set']:16}{rates}{gain:11.1f}×{share:10.2f}{row['two_workers_ratio']:12.2f}×"


def _machine() -> dict[str, Any]:
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": sys.version}


if __name__ == "__main__":
    main()
