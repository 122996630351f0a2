"""Real workers on stand-in work: what a job and a shard cost beside it, and how much more is done by more workers."""

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click
import psutil

from benchmarks.scale.farm import NOTHING, Farm, processor_seconds
from benchmarks.scale.known_cost import Kind, spend
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.queue import create_celery
from tenfold.worker.jobs.submission import new_id
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services

QUEUE = JobKind.CLASSIFICATION.value
POLL_SECONDS = 0.05
MAX_SECONDS = 300

# A first guess of how many shards a second one worker finishes when they cost nothing.
SHARDS_A_SECOND = 50


class Bench:
    """Submits jobs to a farm and measures until they have ended.

    Args:
        parts: the processes at which to look at the cost for the processor, by what they are.
    """

    def __init__(self, services: Services, farm: Farm, parts: Mapping[str, psutil.Process]) -> None:
        self._services = services
        self._farm = farm
        self._parts = parts

    def overheads(self, seconds: float) -> list[dict[str, Any]]:
        """What one worker takes for work that costs nothing: a bare task of Celery's, a shard, a job of one shard."""
        self._farm.grow_to(1)
        self._run(1, 1, "sleep", 0)  # the first one warms the worker up
        count = max(2, int(SHARDS_A_SECOND * seconds))
        of_nothing = self._run_nothing(10 * count)
        of_shards, of_jobs = self._run(1, count, "sleep", 0), self._run(count // 3 or 1, 1, "sleep", 0)
        return [
            {"operation": "bare task of Celery's"} | of_nothing,
            {"operation": "shard"} | of_shards,
            {"operation": "job of one shard"} | of_jobs,
        ]

    def curve(self, kind: Kind, milliseconds: float, workers: Sequence[int], seconds: float) -> list[dict[str, Any]]:
        """A row for each number of workers, on one job of which each shard costs so much."""
        rows: list[dict[str, Any]] = []
        fastest = 0.0
        for number in workers:
            self._farm.grow_to(number)
            most = number * 1000 / milliseconds
            shards = max(number, int(seconds * (min(most, 2 * fastest) if fastest else most)))
            row: dict[str, Any] = {"work": kind, "milliseconds": milliseconds, "workers": number}
            row |= self._run(1, shards, kind, milliseconds)
            if kind == "spin":
                row["bare_a_second"] = bare_rate(milliseconds, number, seconds / 2)
            fastest = max(fastest, row["a_second"])
            rows.append(row)
        return rows

    def _run(self, jobs: int, shards: int, kind: Kind, milliseconds: float) -> dict[str, Any]:
        """Rates are of shards; a job of one shard has two more steps, which are part of its cost."""
        before = self._processor_seconds()
        ids = [self._submit(shards, kind, milliseconds) for _ in range(jobs)]
        ended = [self._ended(job_id) for job_id in ids]
        seconds = max(job.finished_at or 0 for job in ended) - min(job.started_at or 0 for job in ended)
        return self._result(jobs * shards, seconds, before)

    def _run_nothing(self, count: int) -> dict[str, Any]:
        """The tasks are sent beforehand to a list that then takes the name of the queue."""
        redis = connect_redis(self._services.settings.redis_url)
        celery = create_celery(self._services.settings.redis_url)
        with celery.connection_for_write() as connection:
            producer = celery.amqp.Producer(connection, auto_declare=False)
            for _ in range(count):
                celery.send_task(NOTHING, queue="benchmark-later", producer=producer, retry=False)
        before, started = self._processor_seconds(), time.monotonic()
        redis.rename("benchmark-later", QUEUE)
        while redis.llen(QUEUE) or redis.hlen("unacked"):
            time.sleep(POLL_SECONDS)
        return self._result(count, time.monotonic() - started, before)

    def _result(self, count: int, seconds: float, before: Mapping[str, float]) -> dict[str, Any]:
        after = self._processor_seconds()
        return {
            "count": count,
            "seconds": seconds,
            "a_second": count / seconds,
            "ms_each": 1000 * seconds / count,
            "processor_ms_each": {part: 1000 * (after[part] - before[part]) / count for part in after},
        }

    def _processor_seconds(self) -> dict[str, float]:
        everybody = {"workers": self._farm.process, **self._parts}
        return {part: processor_seconds(process) for part, process in everybody.items()}

    def _submit(self, shards: int, kind: Kind, milliseconds: float) -> str:
        """As `submissions` does it, but for the upload."""
        job_id = new_id()
        self._services.volume.job(job_id).mkdir()
        parameters = {"shards": shards, "work": kind, "milliseconds": milliseconds}
        self._services.jobs.submit(job_id, JobKind.CLASSIFICATION, parameters, total=shards, fingerprint=job_id)
        self._services.queue.announce(JobKind.CLASSIFICATION, self._services.jobs.queued_steps(job_id))
        return job_id

    def _ended(self, job_id: str) -> Job:
        deadline = time.monotonic() + MAX_SECONDS
        while not (job := self._services.jobs.get(job_id)).state.final:
            if time.monotonic() > deadline:
                raise click.ClickException(f"A job of {job.total} shards has not ended in {MAX_SECONDS} s: {job.done}.")
            time.sleep(POLL_SECONDS)
        if job.state is not JobState.SUCCEEDED:
            raise click.ClickException(f"A job has {job.state.value}: {job.error}")
        return job


def bare_rate(milliseconds: float, processes: int, seconds: float) -> float:
    """How often a second so many bare processes do this work: what the cores give now, without any of Tenfold."""
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        counts = pool.starmap(_spin_for, [(milliseconds, seconds)] * processes, chunksize=1)
    return sum(counts)


def _spin_for(milliseconds: float, seconds: float) -> float:
    started, count = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        spend("spin", milliseconds)
        count += 1
    return count / (time.monotonic() - started)
