"""What happens to a sweep's trials when something is done to the sweep, and the other way round."""

from collections.abc import Sequence

import pytest

from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import UnknownJob, WrongState
from tenfold.worker.jobs.leases import Lease, LeaseStore
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tests.conftest import Clock, every_database
from tests.worker.conftest import LEASE_SECONDS, MAX_ATTEMPTS, Submit, trial_in_line

pytestmark = every_database


@pytest.fixture
def sweep(jobs: JobStore, leases: LeaseStore, submit: Submit, clock: Clock) -> str:
    """A sweep that waits for two trials."""
    job = submit(JobKind.SWEEP)
    new = [trial_in_line(job.id, f"trial-{number}", clock()) for number in range(2)]
    leases.await_trials(taken(jobs, leases, job.id), new, 0, {})
    return job.id


def taken(jobs: JobStore, leases: LeaseStore, job_id: str) -> Lease:
    [step] = jobs.queued_steps(job_id)
    lease = leases.claim(step, "worker")
    assert lease is not None
    return lease


def states(jobs: JobStore, sweep: str) -> Sequence[JobState]:
    return [trial.state for trial in jobs.trials(sweep)]


def test_a_sweep_that_fails_takes_its_trials_with_it(jobs: JobStore, leases: LeaseStore, sweep: str) -> None:
    leases.finish_job(taken(jobs, leases, "trial-0"), {})

    leases.fail_job(taken(jobs, leases, sweep), "its values do not go together")

    assert states(jobs, sweep) == [JobState.SUCCEEDED, JobState.CANCELLED]


def test_a_sweep_whose_step_is_tried_too_often_takes_its_trials_with_it(
    jobs: JobStore, leases: LeaseStore, waiting: WaitingSteps, sweep: str, clock: Clock
) -> None:
    leases.finish_job(taken(jobs, leases, "trial-0"), {})
    [step] = jobs.queued_steps(sweep)
    for _ in range(MAX_ATTEMPTS):
        leases.claim(step, "a worker that dies")
        clock.advance(LEASE_SECONDS + 1)

    waiting.fail_exhausted()

    assert jobs.get(sweep).state is JobState.FAILED
    assert states(jobs, sweep) == [JobState.SUCCEEDED, JobState.CANCELLED]


def test_a_failed_sweep_goes_on_with_its_trials_when_it_is_retried(
    jobs: JobStore, leases: LeaseStore, sweep: str
) -> None:
    leases.finish_job(taken(jobs, leases, "trial-0"), {})
    leases.fail_job(taken(jobs, leases, sweep), "the disk was full")

    jobs.retry(sweep)

    assert states(jobs, sweep) == [JobState.SUCCEEDED, JobState.QUEUED]


def test_a_sweep_whose_trials_have_failed_tries_them_again_when_it_is_retried(
    jobs: JobStore, leases: LeaseStore, sweep: str
) -> None:
    for trial in ("trial-0", "trial-1"):
        leases.fail_job(taken(jobs, leases, trial), "the disk was full")
    leases.fail_job(taken(jobs, leases, sweep), "none of the trials succeeded")

    jobs.retry(sweep)

    assert states(jobs, sweep) == [JobState.QUEUED, JobState.QUEUED]


def test_a_sweep_cannot_be_deleted_while_a_trial_of_it_that_was_retried_runs(
    jobs: JobStore, leases: LeaseStore, sweep: str
) -> None:
    jobs.cancel(sweep)
    jobs.retry("trial-1")

    with pytest.raises(WrongState, match="trial-1 is queued; cancel it first"):
        jobs.delete(sweep)

    assert taken(jobs, leases, "trial-1").attempt == 1


def test_a_trial_cannot_be_deleted_while_its_sweep_needs_it(jobs: JobStore, leases: LeaseStore, sweep: str) -> None:
    leases.finish_job(taken(jobs, leases, "trial-0"), {})

    with pytest.raises(WrongState, match=f"{sweep} is running"):
        jobs.delete("trial-0")

    assert len(jobs.trials(sweep)) == 2


def test_a_sweep_is_deleted_with_its_trials(jobs: JobStore, sweep: str) -> None:
    jobs.cancel(sweep)

    jobs.delete(sweep)

    with pytest.raises(UnknownJob):
        jobs.get("trial-0")
