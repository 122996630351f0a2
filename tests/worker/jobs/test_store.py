"""The store of jobs, as the people who submit them see it."""

import pytest

from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import IdempotencyConflict, UnknownJob, WrongState
from tenfold.worker.jobs.leases import LeaseStore, Shard
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.versions import STEP_VERSION
from tests.conftest import Clock, every_database
from tests.worker.conftest import Submit

pytestmark = every_database


def claim_first(jobs: JobStore, leases: LeaseStore, job_id: str):  # type: ignore[no-untyped-def]
    [step] = jobs.queued_steps(job_id)
    lease = leases.claim(step, "worker")
    assert lease is not None
    return lease


def test_a_submitted_job_is_queued_with_one_step_in_line(jobs: JobStore, submit: Submit) -> None:
    job = submit()

    assert jobs.get(job.id).state is JobState.QUEUED
    assert len(jobs.queued_steps(job.id)) == 1


def test_an_unknown_job_is_an_error_that_names_it(jobs: JobStore) -> None:
    with pytest.raises(UnknownJob, match="no-such-job"):
        jobs.get("no-such-job")


def test_jobs_are_listed_newest_first_and_page_by_page(jobs: JobStore, submit: Submit) -> None:
    ids = [submit().id for _ in range(5)]

    first = jobs.list(limit=3)
    second = jobs.list(limit=3, before=first[-1].id)

    assert [job.id for job in [*first, *second]] == ids[::-1]


def test_jobs_are_filtered_by_kind_and_state(jobs: JobStore, submit: Submit) -> None:
    training, classification = submit(JobKind.TRAINING), submit(JobKind.CLASSIFICATION)
    jobs.cancel(training.id)

    assert [job.id for job in jobs.list(kind=JobKind.CLASSIFICATION)] == [classification.id]
    assert [job.id for job in jobs.list(state=JobState.CANCELLED)] == [training.id]


def test_the_same_key_gives_the_same_job(jobs: JobStore, submit: Submit) -> None:
    first = submit(key="k")
    second = submit(key="k")

    assert second.id == first.id
    assert len(jobs.list()) == 1


def test_the_same_key_with_other_content_is_refused(submit: Submit) -> None:
    submit(key="k", fingerprint="one")

    with pytest.raises(IdempotencyConflict, match="other content"):
        submit(key="k", fingerprint="two")


def test_a_queued_job_can_be_cancelled_and_is_then_not_to_be_had(
    jobs: JobStore, leases: LeaseStore, submit: Submit
) -> None:
    job = submit()
    [step] = jobs.queued_steps(job.id)

    jobs.cancel(job.id)

    assert jobs.get(job.id).state is JobState.CANCELLED
    assert leases.claim(step, "worker") is None


def test_a_job_that_has_ended_cannot_be_cancelled(jobs: JobStore, submit: Submit) -> None:
    job = submit()
    jobs.cancel(job.id)

    with pytest.raises(WrongState, match="already cancelled"):
        jobs.cancel(job.id)


def test_a_cancelled_job_can_be_retried_and_finished(jobs: JobStore, leases: LeaseStore, submit: Submit) -> None:
    job = submit()
    jobs.cancel(job.id)

    jobs.retry(job.id)
    leases.finish_job(claim_first(jobs, leases, job.id), {"well": True})

    assert jobs.get(job.id).state is JobState.SUCCEEDED


def test_a_job_that_was_begun_while_a_cancel_waited_for_its_row_did_not_end_before_it_began(
    jobs: JobStore, leases: LeaseStore, submit: Submit, clock: Clock
) -> None:
    job = submit()
    claim_first(jobs, leases, job.id)
    clock.advance(-1)  # the cancel looked at the clock first

    jobs.cancel(job.id)

    ended = jobs.get(job.id)
    assert ended.finished_at == ended.started_at == clock() + 1


def test_a_retried_job_may_be_tried_as_often_as_a_new_one(
    jobs: JobStore, leases: LeaseStore, waiting: WaitingSteps, submit: Submit, clock: Clock
) -> None:
    job = submit()
    for _ in range(3):
        claim_first_expired(leases, waiting, clock)
    waiting.fail_exhausted()
    assert jobs.get(job.id).state is JobState.FAILED

    jobs.retry(job.id)

    assert claim_first(jobs, leases, job.id).attempt == 1
    assert jobs.get(job.id).error is None


def test_retrying_a_classification_keeps_the_shards_that_are_done(
    jobs: JobStore, leases: LeaseStore, submit: Submit
) -> None:
    job = submit(JobKind.CLASSIFICATION)
    first, second = leases.finish_plan(claim_first(jobs, leases, job.id), [Shard(0, 5), Shard(5, 9)], {})
    done = leases.claim(first, "worker")
    assert done is not None
    leases.finish_shard(done, 5, {"file": "a"})
    jobs.cancel(job.id)

    jobs.retry(job.id)

    assert list(jobs.queued_steps(job.id)) == [second]
    assert jobs.get(job.id).done == 5


def test_a_succeeded_job_cannot_be_retried(jobs: JobStore, leases: LeaseStore, submit: Submit) -> None:
    job = submit()
    leases.finish_job(claim_first(jobs, leases, job.id), {})

    with pytest.raises(WrongState, match="only a failed or cancelled job"):
        jobs.retry(job.id)


def test_an_unfinished_job_cannot_be_deleted(jobs: JobStore, submit: Submit) -> None:
    job = submit()

    with pytest.raises(WrongState, match="cancel it first"):
        jobs.delete(job.id)


def test_a_deleted_job_is_gone_with_its_steps(jobs: JobStore, submit: Submit) -> None:
    job = submit()
    jobs.cancel(job.id)

    jobs.delete(job.id)

    with pytest.raises(UnknownJob):
        jobs.get(job.id)
    assert not jobs.queued_steps(job.id)


def claim_first_expired(leases: LeaseStore, waiting: WaitingSteps, clock: Clock) -> None:
    step_id = waiting.reannounce(["train"], STEP_VERSION, announced_before=clock() + 1, limit=1)  # type: ignore[list-item]
    assert leases.claim(step_id[0], "worker") is not None
    clock.advance(1000)
