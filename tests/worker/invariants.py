"""What always holds of the rows, in whichever order things were done. docs/architecture.md promises the same list.

Each invariant is a function that raises AssertionError where it does not hold, and whose docstring is the promise.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from tenfold.worker.db.records import Step
from tenfold.worker.db.states import JobKind, JobState, StepKind, StepState
from tenfold.worker.jobs.queue import QUEUES
from tests.worker.rows import MAX_ATTEMPTS, Rows, ended

JOB_EDGES = {
    (JobState.QUEUED, JobState.RUNNING),
    (JobState.QUEUED, JobState.CANCELLED),
    (JobState.RUNNING, JobState.SUCCEEDED),
    (JobState.RUNNING, JobState.FAILED),
    (JobState.RUNNING, JobState.CANCELLED),
    (JobState.FAILED, JobState.QUEUED),
    (JobState.CANCELLED, JobState.QUEUED),
}

STEP_EDGES = {
    (StepState.WAITING, StepState.QUEUED),
    (StepState.QUEUED, StepState.WAITING),
    (StepState.QUEUED, StepState.RUNNING),
    (StepState.RUNNING, StepState.QUEUED),
    (StepState.RUNNING, StepState.WAITING),
    (StepState.RUNNING, StepState.DONE),
}


def jobs_change_state_as_allowed(before: Rows, after: Rows) -> None:
    """A job goes from queued to running, from running to succeeded or failed, from either to cancelled, from failed
    or cancelled back to queued, and no other way.
    """
    for job_id in before.jobs.keys() & after.jobs.keys():
        edge = (before.jobs[job_id].state, after.jobs[job_id].state)
        assert edge[0] is edge[1] or edge in JOB_EDGES, f"job {job_id} went {edge[0]} → {edge[1]}"
    for job_id in after.jobs.keys() - before.jobs.keys():
        assert after.jobs[job_id].state is JobState.QUEUED, f"job {job_id} began as {after.jobs[job_id].state}"


def only_ended_jobs_are_deleted(before: Rows, after: Rows) -> None:
    """No job disappears before it has ended, and no trial while its sweep has not."""
    for job_id in before.jobs.keys() - after.jobs.keys():
        gone = before.jobs[job_id]
        assert ended(gone), f"job {job_id} was {gone.state} when it was deleted"
        sweep = before.jobs.get(gone.parent_id or "")
        assert sweep is None or ended(sweep), f"trial {job_id} was deleted while its sweep was {sweep.state}"


def steps_change_state_as_allowed(before: Rows, after: Rows) -> None:
    """A step goes from waiting to queued, running and done; a queued or running one may go back, and a done one
    stays done unless its job's work was removed.
    """
    for step_id in before.steps.keys() & after.steps.keys():
        old, new = before.steps[step_id], after.steps[step_id]
        edge = (old.state, new.state)
        forgotten = new.attempts == 0 and ended(after.jobs[new.job_id])
        forgotten &= edge == (StepState.DONE, StepState.WAITING) and not after.steps_of(
            after.jobs[new.job_id], StepKind.SHARD
        )
        assert edge[0] is edge[1] or edge in STEP_EDGES or forgotten, f"{named(new)} went {edge[0]} → {edge[1]}"


def a_lease_passes_on_only_when_it_has_expired(before: Rows, after: Rows) -> None:
    """A step's lease becomes another's only when it has expired, so at most one counts at any time."""
    for step_id in before.steps.keys() & after.steps.keys():
        old, new = before.steps[step_id], after.steps[step_id]
        if old.lease_token and new.lease_token and old.lease_token != new.lease_token:
            assert old.lease_expires_at is not None
            assert old.lease_expires_at < after.now, f"{named(new)} was taken from {old.worker}, whose lease held"


def a_worker_without_the_lease_writes_nothing(before: Rows, after: Rows) -> None:
    """A worker whose lease has expired, was taken over or was taken away changes no row."""
    assert after.values() == before.values()


def a_retried_job_counts_attempts_from_zero(before: Rows, after: Rows) -> None:
    """When a job is queued again, its remaining steps may be tried as often as those of a new one."""
    for job_id in before.jobs.keys() & after.jobs.keys():
        if ended(before.jobs[job_id]) and not ended(after.jobs[job_id]):
            left = [step for step in after.steps_of(after.jobs[job_id]) if step.state is not StepState.DONE]
            assert not any(step.attempts for step in left), f"{job_id}: {[step.attempts for step in left]}"


def releasing_is_no_attempt(before: Rows, after: Rows, step_id: int) -> None:
    """A step that a worker releases because it was told to stop counts as not tried."""
    tried = after.steps[step_id].attempts
    assert tried == before.steps[step_id].attempts - 1, f"{named(after.steps[step_id])} counts {tried} attempts"


def webhooks_get_each_end_once(before: Rows, after: Rows) -> None:
    """Each time a job that is no trial ends, each webhook that asked for it gets one event."""
    new = Counter(delivery.job_id for delivery in after.deliveries) - Counter(d.job_id for d in before.deliveries)
    ends = {
        job_id
        for job_id, job in after.jobs.items()
        if job.parent_id is None and ended(job) and not (job_id in before.jobs and ended(before.jobs[job_id]))
    }
    assert new == dict.fromkeys(ends, 1), f"ended: {ends}, told: {dict(new)}"


def a_running_step_has_a_lease(rows: Rows) -> None:
    """A step has a lease, with a worker, a token and an expiry, if and only if it is running; no two have the same."""
    for step in rows.steps.values():
        leased = step.lease_token is not None, step.lease_expires_at is not None
        assert set(leased) == {step.state is StepState.RUNNING}, f"{named(step)} is {step.state}, leased: {leased}"
        assert step.worker or step.state is not StepState.RUNNING, f"nobody runs {named(step)}"
    tokens = [step.lease_token for step in rows.steps.values() if step.lease_token]
    assert len(tokens) == len(set(tokens))


def an_ended_job_has_no_queued_step(rows: Rows) -> None:
    """A job that has ended has no step that is queued or running; one that has succeeded has none left to do."""
    for job, steps in rows.with_steps():
        states = {step.state for step in steps}
        if ended(job):
            assert not states & {StepState.QUEUED, StepState.RUNNING}, f"{job.id} is {job.state}, its steps {states}"
        if job.state is JobState.SUCCEEDED:
            assert states == {StepState.DONE}, f"{job.id} has succeeded, its steps are {states}"


def an_unfinished_job_can_continue(rows: Rows) -> None:
    """A job that has not ended has a step that is queued or running, or waits for a trial that has not ended:
    no job is ever stuck.
    """
    for job, steps in rows.with_steps():
        moving = any(step.state in (StepState.QUEUED, StepState.RUNNING) for step in steps)
        if not ended(job) and not moving:
            waits = job.kind is JobKind.SWEEP and not all(ended(trial) for trial in rows.trials_of(job))
            assert waits, f"{job.kind} {job.id} is {job.state} and stuck: {[step.state for step in steps]}"


def attempts_are_bounded(rows: Rows) -> None:
    """No step is tried more often than max_attempts since its job was last queued."""
    for step in rows.steps.values():
        assert 0 <= step.attempts <= MAX_ATTEMPTS, f"{named(step)} was tried {step.attempts} times"


def times_match_the_state(rows: Rows) -> None:
    """A job has a time of its end if and only if it has ended, and one of its start once a step of it was claimed."""
    for job in rows.jobs.values():
        assert (job.finished_at is not None) == ended(job), f"{job.id} is {job.state}, finished at {job.finished_at}"
        started = job.state in (JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED)
        assert job.started_at is not None or not started, f"{job.id} is {job.state} and never started"
        times = [time for time in (job.created_at, job.started_at, job.finished_at) if time is not None]
        assert times == sorted(times), f"the times of {job.id} are {times}"


def a_failed_job_says_why(rows: Rows) -> None:
    """A job that has failed has a reason; one that is queued or running, or has succeeded, has none."""
    for job in rows.jobs.values():
        if job.state is not JobState.CANCELLED:
            assert bool(job.error) == (job.state is JobState.FAILED), f"{job.id} is {job.state}: {job.error!r}"


def counters_agree_with_the_steps(rows: Rows) -> None:
    """A job's counter never passes its total, is the total when it has succeeded, and for a classification is the
    images of the shards that are done.
    """
    for job in rows.jobs.values():
        assert 0 <= job.done <= job.total, f"{job.id} has done {job.done} of {job.total}"
        assert job.done == job.total or job.state is not JobState.SUCCEEDED, f"{job.id} ended at {job.done}"
        if job.kind is JobKind.CLASSIFICATION and job.state is not JobState.SUCCEEDED:
            done = [step for step in rows.steps_of(job, StepKind.SHARD) if step.state is StepState.DONE]
            assert job.done == sum(step.input["stop"] - step.input["start"] for step in done), job.id


def shards_cover_every_image_once(rows: Rows) -> None:
    """The shards of a planned classification follow each other from the first image to the last, and one merge
    follows them.
    """
    for job in rows.jobs.values():
        shards, merges = rows.steps_of(job, StepKind.SHARD), rows.steps_of(job, StepKind.MERGE)
        assert len(merges) == bool(shards), f"{job.id} has {len(shards)} shards and {len(merges)} merges"
        if shards:
            ends = [0, *(shard.input["stop"] for shard in shards)]
            assert [shard.input["start"] for shard in shards] == ends[:-1], job.id
            assert ends[-1] == job.total, f"the shards of {job.id} end at {ends[-1]} of {job.total}"


def the_merge_comes_last(rows: Rows) -> None:
    """A merge is queued only when every shard is done, and immediately when the last one is."""
    for job in rows.jobs.values():
        for merge in rows.steps_of(job, StepKind.MERGE):
            ready = all(shard.state is StepState.DONE for shard in rows.steps_of(job, StepKind.SHARD))
            if not ended(job):
                assert (merge.state is not StepState.WAITING) == ready, f"{named(merge)}: {merge.state}, ready: {ready}"


def a_sweep_that_did_not_succeed_leaves_no_trial_behind(before: Rows, after: Rows) -> None:
    """When a sweep fails or is cancelled, its trials that have not ended are cancelled with it."""
    for job_id in before.jobs.keys() & after.jobs.keys():
        job = after.jobs[job_id]
        if job.kind is JobKind.SWEEP and not ended(before.jobs[job_id]) and ended(job):
            left = [trial.id for trial in after.trials_of(job) if not ended(trial)]
            assert job.state is JobState.SUCCEEDED or not left, f"sweep {job_id} is {job.state}, and left {left}"


def a_training_that_succeeded_has_one_model(rows: Rows) -> None:
    """A training has one model in the registry if and only if it has succeeded."""
    for job in rows.jobs.values():
        if job.kind is JobKind.TRAINING:
            assert (job.id in rows.models) == (job.state is JobState.SUCCEEDED), f"{job.id} is {job.state}"


def a_key_names_one_job(rows: Rows) -> None:
    """Of one person's jobs no two have the same idempotency key."""
    keys = [job.idempotency_key for job in rows.jobs.values() if job.idempotency_key is not None]
    assert len(keys) == len(set(keys))


def the_person_with_the_fewest_running_steps_is_next(before: Rows, after: Rows, step_id: int) -> None:
    """Of several people with queued steps, the one with the fewest running steps is next; anonymous steps come last."""
    taken = after.steps[step_id]
    owner = after.jobs[taken.job_id].owner
    kinds = next(kinds for kinds in QUEUES.values() if taken.kind in kinds)
    if before.steps[step_id].attempts:
        return  # what was tried before is tried again by its own message, not by turns
    waiting = {
        before.jobs[step.job_id].owner
        for step in before.steps.values()
        if step.kind in kinds and step.state is StepState.QUEUED and not step.attempts
    }
    running = Counter(
        before.jobs[step.job_id].owner
        for step in before.steps.values()
        if step.state is StepState.RUNNING and not before.claimable(step)
    )
    for other in waiting - {owner, None}:
        assert owner is not None, f"nobody's {named(taken)} was taken before one of {other}'s"
        assert running[owner] <= running[other], f"{owner} has {running[owner]} running, {other} {running[other]}"


def queued_steps_are_announced_after_reconciling(rows: Rows, waiting: Mapping[JobKind, int], window: int) -> None:
    """Seconds after Redis lost messages, the reconciler has announced again the steps that could be claimed, up
    to the window.
    """
    for queue, kinds in QUEUES.items():
        in_line = sum(step.kind in kinds and rows.claimable(step) for step in rows.steps.values())
        assert waiting[queue] >= min(in_line, window), f"{waiting[queue]} messages for {in_line} steps in {queue}"


def every_job_ends(rows: Rows) -> None:
    """While one worker lives and reconciles, every job ends."""
    left = {job.id: (job.kind, job.state, rows.steps_of(job)) for job in rows.jobs.values() if not ended(job)}
    assert not left, left


def named(step: Step) -> str:
    return f"{step.kind} {step.position} of {step.job_id}"


# Of the rows of one moment.
ALWAYS: list[Callable[[Rows], None]] = [
    a_running_step_has_a_lease,
    an_ended_job_has_no_queued_step,
    an_unfinished_job_can_continue,
    attempts_are_bounded,
    times_match_the_state,
    a_failed_job_says_why,
    counters_agree_with_the_steps,
    shards_cover_every_image_once,
    the_merge_comes_last,
    a_training_that_succeeded_has_one_model,
    a_key_names_one_job,
]

# Of two moments between which one thing was done.
CHANGES: list[Callable[[Rows, Rows], None]] = [
    jobs_change_state_as_allowed,
    only_ended_jobs_are_deleted,
    steps_change_state_as_allowed,
    a_lease_passes_on_only_when_it_has_expired,
    a_sweep_that_did_not_succeed_leaves_no_trial_behind,
    a_retried_job_counts_attempts_from_zero,
    webhooks_get_each_end_once,
]

# After something in particular was done.
AFTERWARDS: list[Callable[..., None]] = [
    a_worker_without_the_lease_writes_nothing,
    releasing_is_no_attempt,
    the_person_with_the_fewest_running_steps_is_next,
    queued_steps_are_announced_after_reconciling,
    every_job_ends,
]
