"""What memory a worker takes for a zip of a million images: `python -m benchmarks.memory [--images N] [--json FILE]`.

One process plans, classifies and merges, beside a sampler of its own memory. What counts is the growth over the idle
worker, which has TensorFlow and a model loaded.
"""

import json
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from benchmarks.classifying.trained import write_model
from benchmarks.classifying.volumes import open_volume, submit
from benchmarks.classifying.zips import write_digits
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.fetch import ensure_dataset
from tenfold.trainer.runtime import configure
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services

WARM_UP_IMAGES = 4000
SAMPLE_SECONDS = 0.05
POINTS_SHOWN = 40


class MemorySampler(threading.Thread):
    """Notes this process's own memory, without what is mapped from files, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.samples.append((time.monotonic(), own_megabytes()))

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def peak(self, start: float, end: float) -> float:
        return max((megabytes for at, megabytes in self.samples if start <= at <= end), default=0.0)


@click.command()
@click.option("--images", default=1_000_000, show_default=True, help="Members of the zip.")
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
def main(images: int, datasets: Path, json_file: Path | None) -> None:
    """Show the peak of each phase above the idle worker, and the curve over time."""
    ensure_dataset("mnist", datasets)
    configure(1)
    with TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "model").mkdir()
        write_model(datasets, directory / "model")
        dataset = load_dataset("mnist", datasets)
        write_digits(dataset, images, directory / "images.zip")
        write_digits(dataset, WARM_UP_IMAGES, directory / "warm-up.zip")
        with open_volume(directory, directory / "model" / "model.keras") as services:
            _work_off(services, submit(services, directory / "warm-up.zip"))
            figures = _measure(services, directory / "images.zip")
    for phase, of_phase in figures["phases"].items():
        click.echo(f"{phase:8} {of_phase['seconds']:7.1f} s  peak {of_phase['peak_mb']:+6.0f} MB")
    click.echo("curve, MB: " + " ".join(f"{point:.0f}" for point in figures["curve_mb"]))
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2))


def own_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1000


def _measure(services: Services, archive: Path) -> dict[str, Any]:
    sampler = MemorySampler()
    idle = own_megabytes()
    sampler.start()
    started = time.monotonic()
    job = submit(services, archive)
    submitted = time.monotonic()
    ends = _work_off(services, job)
    sampler.stop()
    marks = {"submit": (started, submitted), "plan": (submitted, ends[0]), "shards": (ends[0], ends[-2])}
    marks["merge"] = (ends[-2], ends[-1])
    every = max(1, len(sampler.samples) // POINTS_SHOWN)
    return {
        "images": job.total,
        "phases": {
            phase: {"seconds": end - start, "peak_mb": sampler.peak(start, end) - idle}
            for phase, (start, end) in marks.items()
        },
        "curve_mb": [megabytes - idle for _, megabytes in sampler.samples[::every]],
    }


def _work_off(services: Services, job: Job) -> list[float]:
    """Do all steps of the job in this process; when each ended."""
    runner, ends = Runner(services, lambda: False), []
    while not (now := services.jobs.get(job.id)).state.final:
        for step_id in services.jobs.queued_steps(job.id):
            runner.run(step_id)
            ends.append(time.monotonic())
    assert now.state is JobState.SUCCEEDED, now.error
    return ends


if __name__ == "__main__":
    main()
