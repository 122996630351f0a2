"""Who waits for a worker, and at about which place in the line.

Told as `worker/people/sharing.py` serves: people by turns, each one's jobs as they came. What is before a job may end
sooner or later, and steps of running jobs come between.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
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
        turns = turns_to_come(session, clock())
        if not turns:
            return session.scalars(_waiting(queue).order_by(Job.id).limit(limit)).all()
        waiting = {turn: _first_of(session, queue, turn.owner, limit) for turn in turns}
    return list(islice(_by_turns(waiting), limit))


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
    first = next_in_line(database, queue, at_most, clock)
    return next((place for place, other in enumerate(first, start=1) if other.id == job.id), None)


def kinds_of(queue: JobKind) -> tuple[JobKind, ...]:
    """The kinds of job whose first step waits in this queue."""
    others = tuple(kind for kind in JobKind if kind not in QUEUES)
    return (queue, *others) if queue is JobKind.CLASSIFICATION else (queue,)


def _waiting(queue: JobKind) -> Select[Job]:
    return select(Job).where(Job.state == JobState.QUEUED, Job.kind.in_(kinds_of(queue)))


def _first_of(session: Session, queue: JobKind, owner: str | None, limit: int) -> list[Job]:
    """A person's oldest jobs in a queue. A query for each kind, so that each is a short walk along the index."""
    theirs: ColumnElement[bool] = Job.owner.is_(None) if owner is None else Job.owner == owner
    found: list[Job] = []
    for kind in kinds_of(queue):
        query = select(Job).where(theirs, Job.state == JobState.QUEUED, Job.kind == kind)
        found += session.scalars(query.order_by(Job.id).limit(limit)).all()
    return sorted(found, key=lambda job: job.id)[:limit]


def _by_turns(waiting: Mapping[Turn, Sequence[Job]]) -> Iterator[Job]:
    """As if each job that is taken runs until the others are: whoever has taken one has one more running, and of those
    with as many comes after the others."""
    left = [
        (turn.owner is None, turn.running, place, deque(jobs)) for place, (turn, jobs) in enumerate(waiting.items())
    ]
    for place in count(len(left)):
        left = [each for each in left if each[-1]]
        if not left:
            return
        chosen = min(left, key=lambda each: each[:3])
        left.remove(chosen)
        nobody, running, _, jobs = chosen
        yield jobs.popleft()
        left.append((nobody, running + 1, place, jobs))
