"""Shares the workers out fairly between people: one person's thousand jobs do not hold up another's first.

The next step is one of the person who has the fewest steps running, and of those who have as few, of the one who was
served longest ago. Jobs that belong to nobody come after everybody's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from worker.database import Database
from worker.jobs import FIRST_STEP
from worker.leases import Lease, LeaseStore
from worker.queue import QUEUES
from worker.records import Job, Step, User
from worker.states import UNFINISHED, JobKind, StepKind, StepState

# Others may be faster at claiming what was chosen. Each time somebody has got on, so a few tries are plenty.
TRIES = 10


class FairLine:
    """Chooses for a worker that has taken a message. Safe to share between threads.

    A message names a step, but is only a hint that one of its kind can be claimed: the step that is claimed may be
    another person's. That one's own message later finds this one, or nothing. Which of several claims wins is decided
    by `LeaseStore.claim` alone; what is chosen here only decides what is tried.

    Args:
        database: where the rows are.
        leases: where steps are claimed.
    """

    def __init__(self, database: Database, leases: LeaseStore) -> None:
        self._database = database
        self._leases = leases
        self._rules = leases.rules

    def claim(self, step_id: int, worker: str) -> Lease | None:
        """Take the step that the message names, or the one whose turn it is. None when there is nothing to take."""
        for _ in range(TRIES):
            chosen = self.choose(step_id)
            if chosen is None:
                return None
            lease = self._leases.claim(chosen, worker)
            if lease is not None:
                return lease
        return None

    def choose(self, step_id: int) -> int | None:
        """The step to try for this message; None when nothing of its kind is in line."""
        with self._database.read() as session:
            if not (turns := turns_to_come(session, self._rules.clock())):
                return step_id
            hinted = session.execute(
                select(Step.kind, Step.state, Step.attempts, Step.lease_expires_at, Job.owner)
                .join(Job)
                .where(Step.id == step_id, self._rules.understood())
            ).one_or_none()
            if hinted is None:
                return None
            queued = hinted.state is StepState.QUEUED
            expired = hinted.state is StepState.RUNNING and self._rules.is_over(hinted.lease_expires_at)
            if expired or (queued and hinted.attempts):
                return step_id  # it was tried before: only its own message, which the healer times, may try it again
            kinds = next(steps for steps in QUEUES.values() if hinted.kind in steps)
            for owner in (turn.owner for turn in turns):
                if queued and owner == hinted.owner:
                    return step_id
                oldest = _oldest_step(session, owner, kinds, self._rules.version)
                if oldest is not None:
                    return oldest
        return None


@dataclass(frozen=True)
class Turn:
    """Somebody with unfinished jobs: how many of their steps run, and when they were last served."""

    owner: str | None
    running: int
    served_at: float


def turns_to_come(session: Session, now: float) -> list[Turn]:
    """Everybody with unfinished jobs, in the order in which they are served; nobody in particular is the last.

    Empty where no person has any: then jobs are taken as they came.
    """
    owners = _owners(session)
    if not owners:
        return []
    running = dict(
        session.execute(
            select(Job.owner, func.count())
            .join(Step, Step.job_id == Job.id)
            .where(Step.state == StepState.RUNNING, Step.lease_expires_at >= now)
            .group_by(Job.owner)
        ).all()
    )
    turns = [Turn(owner, running.get(owner, 0), served_at) for owner, served_at in owners.items()]
    return sorted(turns, key=lambda turn: (turn.owner is None, turn.running, turn.served_at))


def _owners(session: Session) -> dict[str | None, float]:
    """Who has unfinished jobs, and when they were last served."""
    unfinished = [exists().where(Job.owner == User.name, Job.state == state) for state in UNFINISHED]
    found = session.execute(select(User.name, User.served_at).where(unfinished[0] | unfinished[1])).all()
    return {row.name: row.served_at for row in found} | {None: math.inf} if found else {}


def _oldest_step(session: Session, owner: str | None, kinds: Sequence[StepKind], version: int) -> int | None:
    """The first step in line of the person's oldest job that has one. Each look is a short walk along an index, however
    many jobs wait."""
    in_line = (Step.state == StepState.QUEUED, Step.kind.in_(kinds), Step.attempts == 0, Step.version <= version)
    found: list[str] = []
    for kind in _job_kinds(kinds):
        for state in UNFINISHED:
            job = (
                select(Job.id)
                .where(
                    Job.owner.is_(None) if owner is None else Job.owner == owner, Job.state == state, Job.kind == kind
                )
                .where(exists().where(Step.job_id == Job.id, *in_line))
                .order_by(Job.id)
                .limit(1)
            )
            found += session.scalars(job).all()
    if not found:
        return None
    return session.scalar(select(Step.id).where(Step.job_id == min(found), *in_line).order_by(Step.id).limit(1))


def _job_kinds(kinds: Sequence[StepKind]) -> Sequence[JobKind]:
    return [kind for kind, first in FIRST_STEP.items() if first in kinds]
