"""Shares the workers fairly between users: one user's thousand jobs do not delay another's first.

The next step belongs to the user with the fewest running steps; of several, to the one served longest ago. Jobs without
an owner come last.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job, Step, User
from tenfold.worker.db.states import FIRST_STEP, UNFINISHED, JobKind, StepKind, StepState
from tenfold.worker.jobs.leases import Lease, LeaseStore
from tenfold.worker.jobs.queue import QUEUES

# Another worker may claim the chosen step first. Each time somebody makes progress, so a few tries are enough.
TRIES = 10


class FairScheduler:
    """Chooses the step for a worker that has received a message. Thread-safe.

    A message names a step, but is only a hint that a step of its kind can be claimed: the claimed step may be another
    user's, whose own message then finds this one, or nothing. `LeaseStore.claim` alone decides which of several claims
    wins; the scheduler only chooses which step to try.

    Args:
        database: where the rows are.
        leases: where steps are claimed.
    """

    def __init__(self, database: Database, leases: LeaseStore) -> None:
        self._database = database
        self._leases = leases
        self._rules = leases.rules

    def claim(self, step_id: int, worker: str) -> Lease | None:
        """Claim the step that is next. None if there is none.

        Args:
            step_id: the step that the message names.
        """
        for _ in range(TRIES):
            chosen = self.choose(step_id)
            if chosen is None:
                return None
            lease = self._leases.claim(chosen, worker)
            if lease is not None:
                return lease
        return None

    def choose(self, step_id: int) -> int | None:
        """The step to try for this message; None if no step of its kind is queued."""
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
                return step_id  # a retry, which only its own message may start: the reconciler times it
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
    """A user with unfinished jobs, the number of their running steps, and when they were last served."""

    owner: str | None
    running: int
    served_at: float


def turns_to_come(session: Session, now: float) -> list[Turn]:
    """All users with unfinished jobs, in the order in which they are served; jobs without an owner are last.

    Empty if no user has any: then jobs run in the order of submission.
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
    """The users with unfinished jobs, and when they were last served."""
    unfinished = [exists().where(Job.owner == User.name, Job.state == state) for state in UNFINISHED]
    found = session.execute(select(User.name, User.served_at).where(unfinished[0] | unfinished[1])).all()
    return {row.name: row.served_at for row in found} | {None: math.inf} if found else {}


def _oldest_step(session: Session, owner: str | None, kinds: Sequence[StepKind], version: int) -> int | None:
    """The first queued step of the user's oldest job that has one. Each query reads a short range of an index, however
    many jobs wait."""
    queued = (Step.state == StepState.QUEUED, Step.kind.in_(kinds), Step.attempts == 0, Step.version <= version)
    found: list[str] = []
    for kind in _job_kinds(kinds):
        for state in UNFINISHED:
            job = (
                select(Job.id)
                .where(
                    Job.owner.is_(None) if owner is None else Job.owner == owner, Job.state == state, Job.kind == kind
                )
                .where(exists().where(Step.job_id == Job.id, *queued))
                .order_by(Job.id)
                .limit(1)
            )
            found += session.scalars(job).all()
    if not found:
        return None
    return session.scalar(select(Step.id).where(Step.job_id == min(found), *queued).order_by(Step.id).limit(1))


def _job_kinds(kinds: Sequence[StepKind]) -> Sequence[JobKind]:
    return [kind for kind, first in FIRST_STEP.items() if first in kinds]
