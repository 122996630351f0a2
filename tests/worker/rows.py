"""All rows at one moment, as the invariants look at them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect, select

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Delivery, Job, Model, Record, Step
from tenfold.worker.db.states import UNFINISHED, JobState, StepKind, StepState

# Few, so that steps come to their last one often.
MAX_ATTEMPTS = 2


@dataclass(frozen=True)
class Rows:
    """Rows of one moment, detached. `now` is when they were read, in seconds since the epoch."""

    jobs: dict[str, Job]
    steps: dict[int, Step]
    models: dict[str, Model]
    deliveries: list[Delivery]
    now: float
    _steps_of: dict[str, list[Step]] = field(default_factory=dict)

    def steps_of(self, job: Job, kind: StepKind | None = None) -> list[Step]:
        """In the order of their positions."""
        return [step for step in self._steps_of.get(job.id, []) if kind in (None, step.kind)]

    def trials_of(self, job: Job) -> list[Job]:
        return [other for other in self.jobs.values() if other.parent_id == job.id]

    def with_steps(self) -> Iterator[tuple[Job, list[Step]]]:
        for job in self.jobs.values():
            yield job, self.steps_of(job)

    def claimable(self, step: Step) -> bool:
        expired = step.lease_expires_at is not None and step.lease_expires_at < self.now
        return step.state is StepState.QUEUED or (step.state is StepState.RUNNING and expired)

    def values(self) -> dict[tuple[str, Any], tuple[Any, ...]]:
        """Every value of every row, to tell whether anything was written."""
        records: list[Record] = [*self.jobs.values(), *self.steps.values(), *self.models.values(), *self.deliveries]
        return {
            (type(record).__name__, record.id): tuple(  # type: ignore[attr-defined]
                getattr(record, column.key) for column in inspect(type(record)).column_attrs
            )
            for record in records
        }


def read_rows(database: Database, now: float) -> Rows:
    with database.read() as session:
        jobs = {job.id: job for job in session.scalars(select(Job).order_by(Job.created_at, Job.id))}
        steps = {step.id: step for step in session.scalars(select(Step).order_by(Step.position, Step.id))}
        models = {model.id: model for model in session.scalars(select(Model))}
        deliveries = list(session.scalars(select(Delivery)))
    steps_of: dict[str, list[Step]] = {}
    for step in steps.values():
        steps_of.setdefault(step.job_id, []).append(step)
    return Rows(jobs, steps, models, deliveries, now, steps_of)


def ended(job: Job) -> bool:
    return JobState(job.state) not in UNFINISHED
