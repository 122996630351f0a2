"""Who waits for a worker, and at about which place in the line.

Told by the order of submission. What is before a job may end sooner or later, and steps of running jobs come between.
"""

from collections.abc import Sequence

from sqlalchemy import func, select

from worker.database import Database
from worker.queue import QUEUES
from worker.records import Job
from worker.states import JobKind, JobState


def next_in_line(database: Database, queue: JobKind, limit: int) -> Sequence[Job]:
    """The jobs that wait longest of those which share a queue, trials of sweeps too: at most `limit`, in line order."""
    query = select(Job).where(Job.state == JobState.QUEUED, Job.kind.in_(kinds_of(queue))).order_by(Job.id).limit(limit)
    with database.read() as session:
        return session.scalars(query).all()


def count_in_line(database: Database, queue: JobKind, at_most: int) -> int:
    """How many jobs wait in a queue, counted up to `at_most`."""
    waiting = select(Job.id).where(Job.state == JobState.QUEUED, Job.kind.in_(kinds_of(queue))).limit(at_most)
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(waiting.subquery())).one()


def place_in_line(database: Database, job: Job) -> int | None:
    """1 for the job that is next in its queue; None when it does not wait."""
    if job.state is not JobState.QUEUED:
        return None
    queue = next(queue for queue in QUEUES if job.kind in kinds_of(queue))
    before = select(func.count()).where(Job.state == JobState.QUEUED, Job.kind.in_(kinds_of(queue)), Job.id < job.id)
    with database.read() as session:
        return session.scalars(before).one() + 1


def kinds_of(queue: JobKind) -> tuple[JobKind, ...]:
    """The kinds of job whose first step waits in this queue."""
    others = tuple(kind for kind in JobKind if kind not in QUEUES)
    return (queue, *others) if queue is JobKind.CLASSIFICATION else (queue,)
