"""Numbers of jobs and steps by kind and state, and the age of the oldest queued job."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import case, func, select

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import KNOWN_KIND, Job, Step
from tenfold.worker.db.states import JobKind, JobState, StepKind, StepState


@dataclass(frozen=True)
class JobCounts:
    """`oldest_seconds` is how long the oldest queued job of each kind has waited; kinds without one are missing."""

    jobs: Counter[tuple[JobKind, JobState]]
    oldest_seconds: dict[JobKind, float]
    queued_steps: Counter[StepKind]
    running_steps: Counter[StepKind]
    expired_leases: Counter[StepKind]


def count_jobs(database: Database, now: float) -> JobCounts:
    """Count all jobs, and the steps that are queued or running.

    The jobs are grouped by owner too, since then the index `jobs_by_owner` answers the query and no row is read.
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
    return JobCounts(
        jobs=counted,
        oldest_seconds=oldest,
        queued_steps=Counter({kind: count for kind, state, count, _ in steps if state is StepState.QUEUED}),
        running_steps=Counter({kind: count for kind, state, count, _ in steps if state is StepState.RUNNING}),
        expired_leases=Counter({kind: late for kind, state, _, late in steps if state is StepState.RUNNING}),
    )


def _queued_at(created_at: float, detail: dict[str, dict[str, float]]) -> float:
    """A job that was retried waits since then."""
    return detail.get("retry", {}).get("at", created_at)
