"""Resets jobs whose work files are gone, so that they start from the beginning."""

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.states import FIRST_STEP, JobKind, JobState, StepKind, StepState
from tenfold.worker.storage.volume import Volume


def reset_steps(session: Session, job_id: str, kind: JobKind, state: StepState) -> None:
    """Leave only the job's first step, in this state and without attempts."""
    session.execute(delete(Step).where(Step.job_id == job_id, Step.kind.in_([StepKind.SHARD, StepKind.MERGE])))
    session.execute(
        update(Step)
        .where(Step.job_id == job_id, Step.kind == FIRST_STEP[kind])
        .values(state=state, attempts=0, output=None, announced_at=0, lease_token=None, lease_expires_at=None)
    )


def discard_work(database: Database, volume: Volume, job_id: str, kind: JobKind) -> bool:
    """Remove the work directory of an ended job, so that a retry starts from the beginning.

    Returns:
        False if there is none, or the job has been retried by now.
    """
    if volume.storage.usage(volume.work(job_id)) == (0, 0):
        return False
    with database.write() as session:
        retriable = (JobState.FAILED, JobState.CANCELLED)
        if rows_changed(session, update(Job).where(Job.id == job_id, Job.state.in_(retriable)).values(done=0)):
            # The work of a sweep is its trials, which are jobs themselves.
            if kind is not JobKind.SWEEP:
                reset_steps(session, job_id, kind, StepState.WAITING)
        elif not rows_changed(
            session, update(Job).where(Job.id == job_id, Job.state == JobState.SUCCEEDED).values(done=Job.total)
        ):
            return False
        # Inside the transaction: a retry waits for the row.
        free_space = volume.withdraw_work(job_id)
    free_space()
    return True
