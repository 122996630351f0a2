"""Leases: of any number of contenders one wins, and those that have lost write nothing."""

import threading
from collections.abc import Callable

import pytest

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Model
from tenfold.worker.db.states import JobKind, JobState, StepKind
from tenfold.worker.errors import LeaseLost
from tenfold.worker.jobs.leases import Lease, LeaseStore, Shard
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.models.registry import ModelStore
from tenfold.worker.versions import STEP_VERSION
from tests.conftest import Clock, every_database
from tests.worker.conftest import LEASE_SECONDS, MAX_ATTEMPTS, Submit

pytestmark = every_database

CLASSIFICATION_STEPS = (StepKind.PLAN, StepKind.SHARD, StepKind.MERGE)

Writes = {
    "renew": lambda leases, lease: leases.renew(lease),
    "give back": lambda leases, lease: leases.release(lease),
    "put back": lambda leases, lease: leases.requeue_after_error(lease),
    "progress": lambda leases, lease: leases.record_progress(lease, 1, {}),
    "plan": lambda leases, lease: leases.finish_plan(lease, [Shard(0, 1)], {}),
    "shard": lambda leases, lease: leases.finish_shard(lease, 1, {}),
    "finish": lambda leases, lease: leases.finish_job(lease, {}),
    "fail": lambda leases, lease: leases.fail_job(lease, "reason"),
}


@pytest.fixture
def step(jobs: JobStore, submit: Submit) -> int:
    """The one step of a queued training."""
    return jobs.queued_steps(submit().id)[0]


def claimed(leases: LeaseStore, step: int, worker: str = "one") -> Lease:
    lease = leases.claim(step, worker)
    assert lease is not None
    return lease


def planned(jobs: JobStore, leases: LeaseStore, submit: Submit, shards: int) -> tuple[str, list[int]]:
    """A classification of which the plan is done, and the ids of its shards."""
    job = submit(JobKind.CLASSIFICATION)
    plan = claimed(leases, jobs.queued_steps(job.id)[0])
    return job.id, list(leases.finish_plan(plan, [Shard(n, n + 1) for n in range(shards)], {}))


def test_a_claim_sets_the_job_running(jobs: JobStore, leases: LeaseStore, step: int, clock: Clock) -> None:
    lease = claimed(leases, step)

    job = jobs.get(lease.job_id)
    assert job.state is JobState.RUNNING
    assert job.started_at == clock()
    assert lease.attempt == 1


def test_a_claimed_step_is_not_to_be_had(leases: LeaseStore, step: int) -> None:
    claimed(leases, step)

    assert leases.claim(step, "two") is None


def test_a_step_that_does_not_exist_is_not_to_be_had(leases: LeaseStore) -> None:
    assert leases.claim(12345, "one") is None


def test_of_twenty_contenders_exactly_one_wins(leases: LeaseStore, step: int) -> None:
    start = threading.Barrier(20)
    won: list[Lease] = []

    def contend(name: str) -> None:
        start.wait()
        lease = leases.claim(step, name)
        if lease is not None:
            won.append(lease)

    threads = [threading.Thread(target=contend, args=[f"worker {n}"]) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1


def test_an_expired_lease_can_be_taken_over(leases: LeaseStore, step: int, clock: Clock) -> None:
    claimed(leases, step)
    clock.advance(LEASE_SECONDS + 1)

    assert claimed(leases, step, "two").attempt == 2


def test_a_renewed_lease_does_not_expire(leases: LeaseStore, step: int, clock: Clock) -> None:
    lease = claimed(leases, step)
    for _ in range(5):
        clock.advance(LEASE_SECONDS - 1)
        leases.renew(lease)

    assert leases.claim(step, "two") is None
    assert leases.holds(lease)


@pytest.mark.parametrize("write", Writes.values(), ids=Writes.keys())
def test_whoever_holds_an_expired_lease_writes_nothing(
    leases: LeaseStore, jobs: JobStore, step: int, clock: Clock, write: Callable[[LeaseStore, Lease], object]
) -> None:
    lease = claimed(leases, step)
    clock.advance(LEASE_SECONDS + 1)

    with pytest.raises(LeaseLost):
        write(leases, lease)

    assert jobs.get(lease.job_id).state is JobState.RUNNING
    assert leases.claim(step, "two") is not None


@pytest.mark.parametrize("write", Writes.values(), ids=Writes.keys())
def test_a_worker_that_wakes_up_after_another_took_over_writes_nothing(
    leases: LeaseStore, jobs: JobStore, step: int, clock: Clock, write: Callable[[LeaseStore, Lease], object]
) -> None:
    late = claimed(leases, step, "late")
    clock.advance(LEASE_SECONDS + 1)
    current = claimed(leases, step, "current")

    with pytest.raises(LeaseLost):
        write(leases, late)

    leases.finish_job(current, {"by": "current"})
    assert jobs.get(current.job_id).summary == {"by": "current"}


@pytest.mark.parametrize("write", Writes.values(), ids=Writes.keys())
def test_a_worker_whose_job_was_cancelled_writes_nothing(
    leases: LeaseStore, jobs: JobStore, step: int, write: Callable[[LeaseStore, Lease], object]
) -> None:
    lease = claimed(leases, step)
    jobs.cancel(lease.job_id)

    with pytest.raises(LeaseLost):
        write(leases, lease)

    assert not leases.holds(lease)
    assert jobs.get(lease.job_id).state is JobState.CANCELLED


def test_a_lease_of_before_a_retry_is_worth_nothing(leases: LeaseStore, jobs: JobStore, step: int) -> None:
    lease = claimed(leases, step)
    jobs.cancel(lease.job_id)
    jobs.retry(lease.job_id)

    with pytest.raises(LeaseLost):
        leases.finish_job(lease, {})


def test_giving_back_does_not_count_as_an_attempt(leases: LeaseStore, step: int) -> None:
    for _ in range(MAX_ATTEMPTS + 2):
        lease = claimed(leases, step)
        assert lease.attempt == 1
        leases.release(lease)


def test_a_step_tried_too_often_fails_its_job_with_the_reason(
    leases: LeaseStore, waiting: WaitingSteps, jobs: JobStore, step: int, clock: Clock
) -> None:
    for _ in range(MAX_ATTEMPTS):
        lease = claimed(leases, step, "the last worker")
        clock.advance(LEASE_SECONDS + 1)

    assert leases.claim(step, "another") is None
    assert waiting.fail_exhausted() == [lease.job_id]

    job = jobs.get(lease.job_id)
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "train step was tried 3 times" in job.error
    assert "the last worker" in job.error


def test_a_step_on_its_last_attempt_is_left_alone_while_its_lease_holds(
    leases: LeaseStore, waiting: WaitingSteps, jobs: JobStore, step: int, clock: Clock
) -> None:
    for _ in range(MAX_ATTEMPTS):
        lease = claimed(leases, step)
        clock.advance(LEASE_SECONDS + 1)
    clock.advance(-LEASE_SECONDS)

    assert waiting.fail_exhausted() == []
    assert jobs.get(lease.job_id).state is JobState.RUNNING


def test_the_merge_comes_into_line_with_the_last_shard(jobs: JobStore, leases: LeaseStore, submit: Submit) -> None:
    job_id, shards = planned(jobs, leases, submit, shards=3)

    released = [leases.finish_shard(claimed(leases, step), 1, {"file": str(step)}) for step in reversed(shards)]

    assert [len(steps) for steps in released] == [0, 0, 1]
    assert claimed(leases, released[-1][0]).kind is StepKind.MERGE
    assert jobs.get(job_id).done == 3


def test_shard_outputs_come_in_member_order_whatever_the_order_of_work(
    jobs: JobStore, leases: LeaseStore, submit: Submit
) -> None:
    job_id, shards = planned(jobs, leases, submit, shards=4)
    for position in (2, 0, 3, 1):
        leases.finish_shard(claimed(leases, shards[position]), 1, {"file": position})

    assert [output["file"] for output in leases.shard_outputs(job_id)] == [0, 1, 2, 3]


def test_two_last_shards_finished_at_once_release_one_merge(jobs: JobStore, leases: LeaseStore, submit: Submit) -> None:
    job_id, shards = planned(jobs, leases, submit, shards=8)
    held = [claimed(leases, step) for step in shards]
    start = threading.Barrier(len(held))

    def finish(lease: Lease) -> None:
        start.wait()
        leases.finish_shard(lease, 1, {})

    threads = [threading.Thread(target=finish, args=[lease]) for lease in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [merge] = jobs.queued_steps(job_id)
    leases.finish_job(claimed(leases, merge), {})
    assert jobs.get(job_id).state is JobState.SUCCEEDED
    assert jobs.get(job_id).done == 8


def test_a_finished_training_puts_its_model_into_the_registry(
    leases: LeaseStore, step: int, database: Database
) -> None:
    lease = claimed(leases, step)
    model = Model(id=lease.job_id, recipe="dropout-128", dataset="mnist", parameters={}, metrics={}, created_at=1.0)

    leases.finish_job(lease, {}, model=model)

    assert ModelStore(database).get(lease.job_id).recipe == "dropout-128"


def test_a_lost_lease_puts_no_model_into_the_registry(
    leases: LeaseStore, jobs: JobStore, step: int, database: Database
) -> None:
    lease = claimed(leases, step)
    jobs.cancel(lease.job_id)
    model = Model(id=lease.job_id, recipe="dropout-128", dataset="mnist", parameters={}, metrics={}, created_at=1.0)

    with pytest.raises(LeaseLost):
        leases.finish_job(lease, {}, model=model)

    assert ModelStore(database).list() == []


def test_only_steps_announced_long_ago_are_announced_again(waiting: WaitingSteps, step: int, clock: Clock) -> None:
    assert waiting.reannounce([StepKind.TRAIN], STEP_VERSION, announced_before=clock() - 5, limit=9) == []
    clock.advance(6)

    assert waiting.reannounce([StepKind.TRAIN], STEP_VERSION, announced_before=clock() - 5, limit=9) == [step]
    assert waiting.reannounce([StepKind.TRAIN], STEP_VERSION, announced_before=clock() - 5, limit=9) == []


def test_what_can_be_claimed_is_counted_by_kind(
    jobs: JobStore, leases: LeaseStore, waiting: WaitingSteps, submit: Submit, step: int
) -> None:
    planned(jobs, leases, submit, shards=4)

    assert waiting.count_claimable([StepKind.TRAIN], STEP_VERSION, 100) == 1
    assert waiting.count_claimable(CLASSIFICATION_STEPS, STEP_VERSION, 100) == 4
    assert waiting.count_claimable(CLASSIFICATION_STEPS, STEP_VERSION, 2) == 2
