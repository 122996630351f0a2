"""Tenfold's own worker in one process: from a zip on the volume, through plan, shards and merge, to the results."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.classifying import Timing
from benchmarks.classifying.volumes import open_volume, submit
from tenfold.trainer.runtime import configure
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services


def classify(archive: Path, model: Path, limit: int) -> Timing:
    configure(1)
    with TemporaryDirectory(dir=archive.parent) as directory, open_volume(Path(directory), model) as services:
        runner = Runner(services, lambda: False)
        warm_up = archive.with_name("warm-up.zip")
        _finish(services, runner, submit(services, warm_up))
        job = submit(services, archive)
        started = time.perf_counter()
        _finish(services, runner, job)
        return Timing(job.total, time.perf_counter() - started)


def _finish(services: Services, runner: Runner, job: Job) -> None:
    while not (now := services.jobs.get(job.id)).state.final:
        for step in services.jobs.queued_steps(job.id):
            runner.run(step)
    assert now.state is JobState.SUCCEEDED, now.error
