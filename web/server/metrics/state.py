"""Metrics of database, Redis and volume, read at each scrape. Every replica of the web reports the same."""

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from tenfold.worker.db.states import JobKind, JobState, StepKind
from tenfold.worker.jobs.counts import JobCounts, count_jobs
from tenfold.worker.jobs.queue import QUEUES
from tenfold.worker.observability.worker_registry import Role
from tenfold.worker.services import Services

ROLES: tuple[Role, ...] = ("worker", "predictor")


class State(Collector):
    """A scrape takes two indexed queries and two round trips to Redis."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registration does not collect."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._database()
        yield from self._redis()
        yield from self._volume()

    def _database(self) -> Iterator[Metric]:
        try:
            counts = count_jobs(self._services.database, self._services.clock())
        except SQLAlchemyError:
            counts = None
        yield GaugeMetricFamily(
            "tenfold_database_up", "Whether the table of jobs is readable.", float(counts is not None)
        )
        if counts is not None:
            yield from _jobs(counts)
            yield from _steps(counts)

    def _redis(self) -> Iterator[Metric]:
        try:
            waiting = {kind.value: self._services.queue.waiting(kind) for kind in QUEUES}
            alive = self._services.registry.online()
        except RedisError:
            yield _redis_up(False)
            return
        yield _redis_up(True)
        yield _by("tenfold_queue_messages", "Messages in Redis that no worker has taken.", "queue", waiting)
        roles = Counter(presence.role for presence in alive)
        yield _by(
            "tenfold_processes",
            "Processes that reported in the last ten seconds.",
            "role",
            {str(role): roles[role] for role in ROLES},
        )
        working = sum(presence.task is not None for presence in alive)
        yield GaugeMetricFamily("tenfold_processes_working", "Worker processes that are running a step.", working)
        labels = ["process", "role", "device"]
        memory = GaugeMetricFamily("tenfold_process_memory_bytes", "Memory of a process.", labels=labels)
        gpu_memory = GaugeMetricFamily(
            "tenfold_process_gpu_memory_bytes",
            "GPU memory of a process while it works; only with a GPU.",
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
        yield GaugeMetricFamily("tenfold_volume_free_bytes", "Free space of the volume's file system.", usage.free)


def _jobs(counts: JobCounts) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("tenfold_jobs", "Jobs in the table, by kind and state.", labels=["kind", "state"])
    for kind in JobKind:
        for state in JobState:
            jobs.add_metric([kind.value, state.value], counts.jobs[kind, state])
    yield jobs
    yield _by(
        "tenfold_oldest_queued_job_seconds",
        "How long the oldest queued job has waited for a worker; 0 if none waits.",
        "kind",
        {kind.value: counts.oldest_seconds.get(kind, 0) for kind in JobKind},
    )


def _steps(counts: JobCounts) -> Iterator[Metric]:
    for name, help_text, by_kind in (
        ("tenfold_queued_steps", "Steps that a worker could take now.", counts.queued_steps),
        ("tenfold_running_steps", "Steps that a worker is running.", counts.running_steps),
        (
            "tenfold_expired_leases",
            "Running steps whose worker did not renew its lease; another worker takes them over.",
            counts.expired_leases,
        ),
    ):
        yield _by(name, help_text, "kind", {kind.value: by_kind[kind] for kind in StepKind})


def _redis_up(up: bool) -> Metric:
    return GaugeMetricFamily("tenfold_redis_up", "Whether Redis answers.", float(up))


def _by(name: str, help_text: str, label: str, values: dict[str, float] | dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
