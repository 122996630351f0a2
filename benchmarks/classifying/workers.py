"""Images a second of one and of two real worker processes, each on a core of its own, from claim to results."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.classifying import Timing
from benchmarks.classifying.volumes import open_volume, submit
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.services import Services

# The first job warms the workers up.
JOBS = 5


def measure(archive: Path, model: Path, cores: Sequence[int]) -> Timing:
    """The fastest of a few jobs on a worker for each of these cores."""
    with (
        TemporaryDirectory(dir=archive.parent) as directory,
        open_volume(Path(directory), model) as services,
        _workers(services, cores, Path(directory) / "workers.log"),
    ):
        jobs = [_finished(services, submit(services, archive)) for _ in range(JOBS)]
    return min((_timing(job) for job in jobs[1:]), key=lambda timing: timing.seconds)


@contextmanager
def _workers(services: Services, cores: Sequence[int], log_path: Path) -> Iterator[None]:
    environment = os.environ | {
        "TENFOLD_DATA": str(services.settings.data),
        "TENFOLD_REDIS_URL": services.settings.redis_url,
    }
    with log_path.open("ab") as log:
        processes = [
            subprocess.Popen(
                ["taskset", "--cpu-list", str(core), sys.executable, "-m", "tenfold.worker.process.main"],
                env=environment,
                stdout=log,
                stderr=log,
            )
            for core in cores
        ]
    try:
        _wait_until_warm(log_path, len(cores))
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _wait_until_warm(log_path: Path, count: int) -> None:
    while log_path.read_text().count("ready, on") < count:
        time.sleep(0.1)


def _finished(services: Services, job: Job) -> Job:
    while not (now := services.jobs.get(job.id)).state.final:
        time.sleep(0.05)
    assert now.state is JobState.SUCCEEDED, now.error
    return now


def _timing(job: Job) -> Timing:
    assert job.started_at is not None
    assert job.finished_at is not None
    return Timing(job.total, job.finished_at - job.started_at)
