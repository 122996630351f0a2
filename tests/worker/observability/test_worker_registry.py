"""Workers that say that they are there, and what they do: on a real Redis, with a real worker process."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.worker.db.states import JobState, StepKind
from tenfold.worker.observability.heartbeat import Heartbeat
from tenfold.worker.observability.worker_registry import ProcessInfo, WorkerRegistry
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tests.waiting import PATIENCE_SECONDS, until
from tests.worker.process.test_killed_workers import Fleet


def eventually(registry: WorkerRegistry, holds: Callable[[list[ProcessInfo]], bool]) -> list[ProcessInfo]:
    """Who is alive, as soon as that is as it should be."""
    [seen] = until(lambda: [alive] if holds(alive := registry.online()) else None)
    return seen


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return connect_redis(redis_url)


@pytest.fixture
def fleet(services: Services, datasets: Path, tmp_path: Path) -> Iterator[Fleet]:
    (services.volume.datasets / "mnist").symlink_to(datasets / "mnist")
    workers = Fleet(services.settings, tmp_path / "workers.log")
    workers.start()
    yield workers
    workers.stop()


def test_a_process_is_seen_until_it_leaves(redis: Redis) -> None:
    registry = WorkerRegistry(redis)
    sign = Heartbeat(registry, "host-1", "predictor")

    sign.start()
    [starting] = eventually(registry, lambda alive: len(alive) == 1)
    sign.ready("CPU", lambda: None)
    [ready] = eventually(registry, lambda alive: alive[0].device is not None)
    sign.stop()

    assert (starting.name, starting.role, starting.pid, starting.device) == ("host-1", "predictor", os.getpid(), None)
    assert (ready.device, ready.gpu_memory_bytes) == ("CPU", None)
    assert ready.memory_bytes > 1_000_000
    assert registry.online() == []


def test_workers_come_before_predictors(redis: Redis) -> None:
    registry = WorkerRegistry(redis)
    signs = [Heartbeat(registry, "a", "predictor"), Heartbeat(registry, "b", "worker")]

    for sign in signs:
        sign.start()

    alive = eventually(registry, lambda alive: len(alive) == 2)
    assert [presence.name for presence in alive] == ["b", "a"]
    for sign in signs:
        sign.stop()


def test_a_worker_is_seen_with_the_step_that_it_works_on_and_no_more_once_it_is_killed(
    services: Services, fleet: Fleet
) -> None:
    registry = services.registry
    [idle] = eventually(registry, lambda alive: any(presence.device for presence in alive))
    job = submit_training(services, TrainingParameters(recipe="dropout-128", epochs=500))

    [busy] = eventually(registry, lambda alive: any(presence.task for presence in alive))

    assert idle.task is None
    assert busy.name == idle.name
    assert busy.task is not None
    assert (busy.task.job, busy.task.step, busy.task.position) == (job.id, StepKind.TRAIN, 0)
    assert services.jobs.get(job.id).state is JobState.RUNNING

    fleet.kill(busy.name)
    eventually(registry, lambda alive: not alive)


def test_a_worker_that_is_told_to_stop_is_gone_when_it_has_ended(services: Services, fleet: Fleet) -> None:
    [idle] = eventually(services.registry, lambda alive: any(presence.device for presence in alive))

    stopped = fleet.terminate(idle.name)

    stopped.wait(PATIENCE_SECONDS)
    assert stopped.returncode != -signal.SIGKILL
    assert services.registry.online() == []
