"""Who waits for a worker, and at about which place in the line.

Told as `worker/people/sharing.py` serves: people by turns, each one's jobs as they came. What is before a job may end
sooner or later, and steps of running jobs come between.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import count, islice

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from worker.clock import Clock
from worker.database import Database
from worker.people.sharing import Turn, turns_to_come
from worker.queue import QUEUES
from worker.records import Job
from worker.states import JobKind, JobState


def next_in_line(database: Database, queue: JobKind, limit: int, clock: Clock = time.time) -> Sequence[Job]:
    """The jobs of a queue that are taken next, trials of sweeps too: at most `limit`, in line order."""
    with database.read() as session:
        ids = _ids_in_line(session, queue, limit, clock())
        found = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids)))}
    return [found[job_id] for job_id in ids if job_id in found]


def count_in_line(database: Database, queue: JobKind, at_most: int) -> int:
    """How many jobs wait in a queue, counted up to `at_most`."""
    waiting = _waiting(queue).with_only_columns(Job.id).limit(at_most)
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(waiting.subquery())).one()


def place_in_line(database: Database, job: Job, at_most: int, clock: Clock = time.time) -> int | None:
    """1 for the job that is next in its queue; None when it does not wait, or is not among the first `at_most`."""
    if job.state is not JobState.QUEUED:
        return None
    queue = next(queue for queue in QUEUES if job.kind in kinds_of(queue))
    with database.read() as session:
        first = _ids_in_line(session, queue, at_most, clock())
    return first.index(job.id) + 1 if job.id in first else None


def kinds_of(queue: JobKind) -> tuple[JobKind, ...]:
    """The kinds of job whose first step waits in this queue."""
    others = tuple(kind for kind in JobKind if kind not in QUEUES)
    return (queue, *others) if queue is JobKind.CLASSIFICATION else (queue,)


def _ids_in_line(session: Session, queue: JobKind, limit: int, now: float) -> Sequence[str]:
    turns = turns_to_come(session, now)
    if not turns:
        return session.scalars(_waiting(queue).with_only_columns(Job.id).order_by(Job.id).limit(limit)).all()
    return list(islice(_by_turns(turns, lambda owner: _first_of(session, queue, owner, limit)), limit))


def _waiting(queue: JobKind) -> Select[Job]:
    return select(Job).where(Job.state == JobState.QUEUED, Job.kind.in_(kinds_of(queue)))


def _first_of(session: Session, queue: JobKind, owner: str | None, limit: int) -> Iterator[str]:
    """The ids of a person's oldest jobs in a queue, looked up when the first is asked for. A query for each kind, so
    that each is a short walk along the index."""
    theirs: ColumnElement[bool] = Job.owner.is_(None) if owner is None else Job.owner == owner
    found: list[str] = []
    for kind in kinds_of(queue):
        query = select(Job.id).where(theirs, Job.state == JobState.QUEUED, Job.kind == kind)
        found += session.scalars(query.order_by(Job.id).limit(limit)).all()
    yield from sorted(found)[:limit]


def _by_turns(turns: Sequence[Turn], jobs_of: Callable[[str | None], Iterator[str]]) -> Iterator[str]:
    """As if each job that is taken runs until the others are: whoever has taken one has one more running, and of those
    with as many comes after the others."""
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
