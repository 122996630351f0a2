"""The approximate position of a job in its queue.

It follows the order of `scheduler.py`: users take turns, and each user's jobs run in the order of submission. It is
approximate, since steps of running jobs come between.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import count, islice

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.queue import QUEUES
from tenfold.worker.jobs.scheduler import Turn, turns_to_come


def next_queued(database: Database, queue: JobKind, limit: int, clock: Clock = time.time) -> Sequence[Job]:
    """The next jobs of a queue, trials of sweeps included: at most `limit`, in order."""
    with database.read() as session:
        ids = _queued_ids(session, queue, limit, clock())
        found = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))}
    return [found[job_id] for job_id in ids if job_id in found]


def count_queued(database: Database, queue: JobKind, at_most: int) -> int:
    """The number of jobs waiting in a queue, counted up to `at_most`."""
    waiting = _waiting(queue).with_only_columns(Job.id).limit(at_most)
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(waiting.subquery())).one()


def queue_position(database: Database, job: Job, at_most: int, clock: Clock = time.time) -> int | None:
    """1 for the next job of its queue; None if the job is not queued, or not among the first `at_most`."""
    if job.state is not JobState.QUEUED:
        return None
    queue = next(queue for queue in QUEUES if job.kind in kinds_of(queue))
    with database.read() as session:
        first = _queued_ids(session, queue, at_most, clock())
    return first.index(job.id) + 1 if job.id in first else None


def kinds_of(queue: JobKind) -> tuple[JobKind, ...]:
    """The kinds of jobs whose first step is in this queue."""
    others = tuple(kind for kind in JobKind if kind not in QUEUES)
    return (queue, *others) if queue is JobKind.CLASSIFICATION else (queue,)


def _queued_ids(session: Session, queue: JobKind, limit: int, now: float) -> Sequence[str]:
    turns = turns_to_come(session, now)
    if not turns:
        return session.scalars(_waiting(queue).with_only_columns(Job.id).order_by(Job.id).limit(limit)).all()
    return list(islice(_by_turns(turns, lambda owner: _first_of(session, queue, owner, limit)), limit))


def _waiting(queue: JobKind) -> Select[Job]:
    return select(Job).where(Job.state == JobState.QUEUED, Job.kind.in_(kinds_of(queue)))


def _first_of(session: Session, queue: JobKind, owner: str | None, limit: int) -> Iterator[str]:
    """The ids of a user's oldest jobs in a queue, read when the first is requested. One query per kind, so that each
    reads a short range of the index."""
    theirs: ColumnElement[bool] = Job.owner.is_(None) if owner is None else Job.owner == owner
    found: list[str] = []
    for kind in kinds_of(queue):
        query = select(Job.id).where(theirs, Job.state == JobState.QUEUED, Job.kind == kind)
        found += session.scalars(query.order_by(Job.id).limit(limit)).all()
    yield from sorted(found)[:limit]


def _by_turns(turns: Sequence[Turn], jobs_of: Callable[[str | None], Iterator[str]]) -> Iterator[str]:
    """Job ids in the order in which the scheduler would take them if no job ended: a user whose job is taken has one
    more running, and moves behind the users with as many."""
    left = [(turn.owner is None, turn.running, place, jobs_of(turn.owner)) for place, turn in enumerate(turns)]
    heapify(left)
    for place in count(len(left)):
        if not left:
            return
        nobody, running, _, jobs = heappop(left)
        job_id = next(jobs, None)
        if job_id is not None:
            yield job_id
            heappush(left, (nobody, running + 1, place, jobs))
