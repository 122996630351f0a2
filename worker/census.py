"""How many jobs and steps there are of each kind and state, and how long the first in line has waited."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import case, func, select

from worker.database import Database
from worker.jobs import KNOWN_KIND
from worker.records import Job, Step
from worker.states import JobKind, JobState, StepKind, StepState


@dataclass(frozen=True)
class Census:
    """Counts, and `oldest_seconds`: how long the oldest queued job of a kind has waited, where there is one."""

    jobs: Counter[tuple[JobKind, JobState]]
    oldest_seconds: dict[JobKind, float]
    queued_steps: Counter[StepKind]
    running_steps: Counter[StepKind]
    expired_leases: Counter[StepKind]


def take_census(database: Database, now: float) -> Census:
    """Count. The jobs are counted by owner too, since the index `jobs_by_owner` then has all that is asked, and no row
    with its history is read; of the steps only those that are queued or running.
    """
    expired = func.sum(case((Step.lease_expires_at < now, 1), else_=0))
    with database.read() as session:
        jobs = session.execute(
            select(Job.kind, Job.state, func.count(), func.min(Job.id))
            .where(KNOWN_KIND)
            .group_by(Job.owner, Job.state, Job.kind)
        ).all()
        first = [oldest for _, state, _, oldest in jobs if state is JobState.QUEUED]
        waiting = session.execute(select(Job.kind, Job.created_at, Job.detail).where(Job.id.in_(first))).all()
        steps = session.execute(
            select(Step.kind, Step.state, func.count(), expired)
            .where(Step.state.in_([StepState.QUEUED, StepState.RUNNING]), Step.kind.in_(list(StepKind)))
            .group_by(Step.kind, Step.state)
        ).all()
    counted: Counter[tuple[JobKind, JobState]] = Counter()
    for kind, state, count, _ in jobs:
        counted[kind, state] += count
    oldest: dict[JobKind, float] = {}
    for kind, created_at, detail in waiting:
        oldest[kind] = max(oldest.get(kind, 0.0), now - _queued_at(created_at, detail))
    return Census(
        jobs=counted,
        oldest_seconds=oldest,
        queued_steps=Counter({kind: count for kind, state, count, _ in steps if state is StepState.QUEUED}),
        running_steps=Counter({kind: count for kind, state, count, _ in steps if state is StepState.RUNNING}),
        expired_leases=Counter({kind: late for kind, state, _, late in steps if state is StepState.RUNNING}),
    )


def _queued_at(created_at: float, detail: dict[str, dict[str, float]]) -> float:
    """A job that was tried again waits since then."""
    return detail.get("retry", {}).get("at", created_at)
