"""Healing, with a real Redis: whatever the queue lost is announced again, and no more than that."""

import pytest
from redis import Redis

from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.queue import StepQueue, create_celery
from tenfold.worker.jobs.reconciler import GRACE_SECONDS, Reconciler
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.redis import connect_redis
from tests.conftest import Clock, every_database
from tests.worker.conftest import Submit

pytestmark = every_database

WINDOW = 4


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return connect_redis(redis_url)


@pytest.fixture
def queue(redis_url: str, redis: Redis) -> StepQueue:
    return StepQueue(create_celery(redis_url), redis)


@pytest.fixture
def reconciler(waiting: WaitingSteps, queue: StepQueue, clock: Clock) -> Reconciler:
    return Reconciler(waiting, queue, window=WINDOW)


def announce(queue: StepQueue, jobs: JobStore, job_id: str) -> None:
    queue.announce(JobKind.TRAINING, jobs.queued_steps(job_id))


def test_a_message_that_waits_is_not_sent_again(
    reconciler: Reconciler, queue: StepQueue, jobs: JobStore, submit: Submit, clock: Clock
) -> None:
    announce(queue, jobs, submit().id)
    for _ in range(5):
        clock.advance(60)
        reconciler.reconcile()

    assert queue.waiting(JobKind.TRAINING) == 1


def test_after_redis_was_wiped_what_is_in_line_is_announced_again(
    reconciler: Reconciler, queue: StepQueue, jobs: JobStore, submit: Submit, clock: Clock, redis: Redis
) -> None:
    for _ in range(3):
        announce(queue, jobs, submit().id)
    redis.flushdb()
    clock.advance(GRACE_SECONDS + 1)

    reconciler.reconcile()

    assert queue.waiting(JobKind.TRAINING) == 3


def test_a_step_submitted_while_redis_was_away_is_announced(
    reconciler: Reconciler, queue: StepQueue, submit: Submit, clock: Clock
) -> None:
    submit()
    clock.advance(GRACE_SECONDS + 1)

    reconciler.reconcile()

    assert queue.waiting(JobKind.TRAINING) == 1


def test_an_expired_lease_is_announced(
    reconciler: Reconciler, queue: StepQueue, jobs: JobStore, leases: LeaseStore, submit: Submit, clock: Clock
) -> None:
    [step] = jobs.queued_steps(submit().id)
    leases.claim(step, "a worker that dies")
    clock.advance(60)

    reconciler.reconcile()

    assert queue.waiting(JobKind.TRAINING) == 1


def test_a_lease_that_holds_is_left_alone(
    reconciler: Reconciler, queue: StepQueue, jobs: JobStore, leases: LeaseStore, submit: Submit, clock: Clock
) -> None:
    [step] = jobs.queued_steps(submit().id)
    lease = leases.claim(step, "a worker at work")
    assert lease is not None
    for _ in range(10):
        clock.advance(GRACE_SECONDS)
        leases.renew(lease)
        reconciler.reconcile()

    assert queue.waiting(JobKind.TRAINING) == 0


def test_a_long_line_is_announced_a_window_at_a_time(
    reconciler: Reconciler, queue: StepQueue, submit: Submit, clock: Clock
) -> None:
    for _ in range(3 * WINDOW):
        submit()
    for _ in range(5):
        clock.advance(GRACE_SECONDS + 1)
        reconciler.reconcile()

    assert queue.waiting(JobKind.TRAINING) == WINDOW


def test_a_job_that_kills_its_workers_ends_as_failed(
    reconciler: Reconciler, jobs: JobStore, leases: LeaseStore, submit: Submit, clock: Clock
) -> None:
    job = submit()
    [step] = jobs.queued_steps(job.id)
    for _ in range(3):
        leases.claim(step, "a worker that dies")
        clock.advance(60)

    reconciler.reconcile()

    assert jobs.get(job.id).state is JobState.FAILED


def test_announcing_to_a_redis_that_is_away_says_so_and_raises_nothing(jobs: JobStore, submit: Submit) -> None:
    away = "redis://127.0.0.1:1/0"
    queue = StepQueue(create_celery(away), connect_redis(away))

    assert not queue.announce(JobKind.TRAINING, jobs.queued_steps(submit().id))
