"""What rows, Redis and the volume say when Prometheus asks. Every replica of the web says the same."""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from worker.census import Census, take_census
from worker.presence import Role
from worker.queue import QUEUES
from worker.services import Services
from worker.states import JobKind, JobState, StepKind

ROLES: tuple[Role, ...] = ("worker", "predictor")


class State(Collector):
    """Looked up at each scrape: two queries that walk an index, and two round trips to Redis."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that it is not asked before anybody scrapes."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._database()
        yield from self._redis()
        yield from self._volume()

    def _database(self) -> Iterator[Metric]:
        try:
            census = take_census(self._services.database, self._services.clock())
        except SQLAlchemyError:
            census = None
        yield GaugeMetricFamily(
            "tenfold_database_up", "Whether the table of jobs can be read.", float(census is not None)
        )
        if census is not None:
            yield from _jobs(census)
            yield from _steps(census)

    def _redis(self) -> Iterator[Metric]:
        try:
            waiting = {kind.value: self._services.queue.waiting(kind) for kind in QUEUES}
            alive = self._services.presence.alive()
        except RedisError:
            yield _redis_up(False)
            return
        yield _redis_up(True)
        yield _by("tenfold_queue_messages", "Announcements in Redis that no worker has taken.", "queue", waiting)
        roles = Counter(presence.role for presence in alive)
        yield _by(
            "tenfold_processes",
            "Processes that were heard of in the last ten seconds.",
            "role",
            {str(role): roles[role] for role in ROLES},
        )
        working = sum(presence.task is not None for presence in alive)
        yield GaugeMetricFamily("tenfold_processes_working", "Processes of workers that have a step now.", working)
        labels = ["process", "role", "device"]
        memory = GaugeMetricFamily("tenfold_process_memory_bytes", "Memory that a process takes.", labels=labels)
        gpu_memory = GaugeMetricFamily(
            "tenfold_process_gpu_memory_bytes",
            "What a process takes of its GPU while it works; only where it has one.",
            labels=labels,
        )
        for presence in alive:
            who = [presence.name, presence.role, presence.device or "starting"]
            memory.add_metric(who, presence.memory_bytes)
            if presence.gpu_memory_bytes is not None:
                gpu_memory.add_metric(who, presence.gpu_memory_bytes)
        yield memory
        yield gpu_memory

    def _volume(self) -> Iterator[Metric]:
        if self._services.settings.bucket is not None:
            return
        try:
            usage = shutil.disk_usage(self._services.settings.root)
        except OSError:
            return
        yield GaugeMetricFamily("tenfold_volume_size_bytes", "Size of the volume's file system.", usage.total)
        yield GaugeMetricFamily("tenfold_volume_free_bytes", "What is free of it.", usage.free)


def _jobs(census: Census) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("tenfold_jobs", "Jobs in the table, by kind and state.", labels=["kind", "state"])
    for kind in JobKind:
        for state in JobState:
            jobs.add_metric([kind.value, state.value], census.jobs[kind, state])
    yield jobs
    yield _by(
        "tenfold_oldest_queued_job_seconds",
        "Since when the job that is longest in line has waited for a worker; 0 where none waits.",
        "kind",
        {kind.value: census.oldest_seconds.get(kind, 0) for kind in JobKind},
    )


def _steps(census: Census) -> Iterator[Metric]:
    for name, help_text, counts in (
        ("tenfold_queued_steps", "Steps that a worker could take now.", census.queued_steps),
        ("tenfold_running_steps", "Steps that a worker has.", census.running_steps),
        (
            "tenfold_expired_leases",
            "Running steps whose worker did not renew its lease: to be taken over.",
            census.expired_leases,
        ),
    ):
        yield _by(name, help_text, "kind", {kind.value: counts[kind] for kind in StepKind})


def _redis_up(up: bool) -> Metric:
    return GaugeMetricFamily("tenfold_redis_up", "Whether Redis answers.", float(up))


def _by(name: str, help_text: str, label: str, values: dict[str, float] | dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
