"""Changes of state that several stores make, each within the caller's transaction.

All lock in one order: a sweep's row before its trials', a job's row before its steps', its owner's row after these. So
two transactions never wait for each other.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from tenfold.worker.db.database import rows_changed
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.states import UNFINISHED, JobState, StepKind, StepState
from tenfold.worker.webhooks.store import tell_webhooks


def end_job(session: Session, job_id: str, state: JobState, now: float, **values: Any) -> bool:
    """Move an unfinished job to a final state and revoke the leases of its steps. False if it had already ended.

    The trials of a sweep that did not succeed are cancelled. The end of a trial queues its sweep's step; the end of any
    other job is written down for the webhooks.

    Args:
        now: when the transaction began; a worker may have started the job later, while this waited for the row.
    """
    parent_id = lock_parent(session, job_id)
    finished_at = case((Job.started_at > now, Job.started_at), (Job.created_at > now, Job.created_at), else_=now)
    unfinished = Job.id == job_id, Job.state.in_(UNFINISHED)
    values |= {"state": state, "finished_at": finished_at}
    ended = rows_changed(session, update(Job).where(*unfinished).values(**values))
    if ended:
        session.execute(
            update(Step)
            .where(Step.job_id == job_id, Step.state != StepState.DONE)
            .values(state=StepState.WAITING, lease_token=None, lease_expires_at=None)
        )
    if ended and state is not JobState.SUCCEEDED:
        for trial_id in session.scalars(select(Job.id).where(Job.parent_id == job_id)).all():
            end_job(session, trial_id, JobState.CANCELLED, now)
    if ended and parent_id is not None:
        wake_sweep(session, parent_id)
    elif ended:
        tell_webhooks(session, job_id, now)
    return bool(ended)


def lock_parent(session: Session, job_id: str) -> str | None:
    """Lock the row of the sweep that the job is a trial of, and return its id. Call it before changing the trial's own
    row, if the sweep's will be changed too."""
    parent_id = session.scalar(select(Job.parent_id).where(Job.id == job_id))
    if parent_id is not None:
        session.execute(select(Job.id).where(Job.id == parent_id).with_for_update())
    return parent_id


def wake_sweep(session: Session, job_id: str) -> None:
    """Queue the waiting step of an unfinished sweep, so that a worker looks at its trials."""
    running = select(Job.id).where(Job.id == job_id, Job.state.in_(UNFINISHED)).scalar_subquery()
    session.execute(
        update(Step)
        .where(Step.job_id == running, Step.kind == StepKind.ADVANCE, Step.state == StepState.WAITING)
        .values(state=StepState.QUEUED, announced_at=0)
    )


def queue_merge_if_shards_are_done(session: Session, job_id: str) -> Sequence[int]:
    """Queue the job's merge if every shard is done; return the ids of the steps that were queued."""
    unfinished = select(Step.id).where(
        Step.job_id == job_id, Step.kind == StepKind.SHARD, Step.state.in_(set(StepState) - {StepState.DONE})
    )
    if session.scalar(unfinished.limit(1)):
        return []
    return session.scalars(
        update(Step)
        .where(Step.job_id == job_id, Step.kind == StepKind.MERGE, Step.state == StepState.WAITING)
        .values(state=StepState.QUEUED)
        .returning(Step.id)
        .execution_options(synchronize_session=False)
    ).all()
