"""Lets a job begin from the start: what its steps had done is forgotten, as where their files are gone."""

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from worker.database import Database, rows_changed
from worker.jobs import FIRST_STEP
from worker.records import Job, Step
from worker.states import JobKind, JobState, StepKind, StepState
from worker.volume import Volume


def forget_steps(session: Session, job_id: str, kind: JobKind, state: StepState) -> None:
    """Leave the job its first step alone, in this state and never tried."""
    session.execute(delete(Step).where(Step.job_id == job_id, Step.kind.in_([StepKind.SHARD, StepKind.MERGE])))
    session.execute(
        update(Step)
        .where(Step.job_id == job_id, Step.kind == FIRST_STEP[kind])
        .values(state=state, attempts=0, output=None, announced_at=0, lease_token=None, lease_expires_at=None)
    )


def discard_work(database: Database, volume: Volume, job_id: str, kind: JobKind) -> bool:
    """Remove the work directory of an ended job; where it can be retried, it will begin from the start. False where it
    has been retried meanwhile."""
    if volume.storage.usage(volume.work(job_id)) == (0, 0):
        return False
    with database.write() as session:
        retriable = (JobState.FAILED, JobState.CANCELLED)
        if rows_changed(session, update(Job).where(Job.id == job_id, Job.state.in_(retriable)).values(done=0)):
            # A sweep's trials are its work, and rows of their own.
            if kind is not JobKind.SWEEP:
                forget_steps(session, job_id, kind, StepState.WAITING)
        elif not rows_changed(
            session, update(Job).where(Job.id == job_id, Job.state == JobState.SUCCEEDED).values(done=Job.total)
        ):
            return False
        # In the transaction, so that no retry comes between: it waits for the row.
        free_space = volume.withdraw_work(job_id)
    free_space()
    return True
