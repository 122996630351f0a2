"""Leases: how a worker claims a step, keeps it, and commits its results.

A message from the queue is only a hint to try `claim`. Of several claims one wins, since a claim is one conditional
UPDATE. It writes a new token, and every later write requires that token, an unexpired lease and a running job. A worker
that has lost its lease gets `LeaseLost` and must stop. All processes compare expiry with one clock (`db/clock.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.records import Job, Model, Step, User
from tenfold.worker.db.states import UNFINISHED, JobState, StepKind, StepState
from tenfold.worker.errors import LeaseLost
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.transitions import end_job, lock_parent, queue_merge_if_shards_are_done, wake_sweep
from tenfold.worker.models.aliases import adopt_first_model


@dataclass(frozen=True)
class Lease:
    """One worker's claim on one step, with the step's input.

    `taken_over` is whether another worker's lease on it had expired. `queued_at` is when it was queued, as far as is
    known, in seconds since the epoch; `traceparent` is the trace that it belongs to (`observability/tracing.py`).
    """

    token: str
    step_id: int
    job_id: str
    parent_id: str | None
    owner: str | None
    kind: StepKind
    position: int
    input: dict[str, Any]
    parameters: dict[str, Any]
    attempt: int
    taken_over: bool
    queued_at: float
    traceparent: str | None


@dataclass(frozen=True)
class Shard:
    """The images of an archive from `start` up to, but not including, `stop`, in member order."""

    start: int
    stop: int


class LeaseStore:
    """Claims on steps, in the database. Every method is one transaction.

    Args:
        database: where the rows are.
        rules: when a step can be claimed.
    """

    def __init__(self, database: Database, rules: ClaimRules) -> None:
        self._database = database
        self.rules = rules

    def claim(self, step_id: int, worker: str) -> Lease | None:
        """Claim the step if it is queued, or running under an expired lease. None if it cannot be claimed."""
        now = self.rules.clock()
        with self._database.write() as session:
            found = session.execute(
                select(Step.job_id, Step.state).where(Step.id == step_id, self.rules.understood())
            ).one_or_none()
            if found is None:
                return None
            job = session.execute(
                update(Job)
                .where(Job.id == found.job_id, Job.state.in_(UNFINISHED))
                .values(state=JobState.RUNNING, started_at=func.coalesce(Job.started_at, now))
                .returning(Job.parent_id, Job.owner, Job.parameters, Job.source, Job.created_at)
                .execution_options(synchronize_session=False)
            ).one_or_none()
            token = uuid4().hex
            step = session.execute(
                update(Step)
                .where(
                    Step.id == step_id,
                    Step.attempts < self.rules.max_attempts,
                    self.rules.understood(),
                    self.rules.claimable(now),
                )
                .values(
                    state=StepState.RUNNING,
                    worker=worker,
                    lease_token=token,
                    lease_expires_at=now + self.rules.lease_seconds,
                    attempts=Step.attempts + 1,
                    version=self.rules.version,
                )
                .returning(Step.kind, Step.position, Step.input, Step.attempts, Step.announced_at)
                .execution_options(synchronize_session=False)
            ).one_or_none()
            if job is None or step is None:
                session.rollback()
                return None
            if job.owner is not None:
                session.execute(update(User).where(User.name == job.owner).values(served_at=now))
            return Lease(
                token=token,
                step_id=step_id,
                job_id=found.job_id,
                parent_id=job.parent_id,
                owner=job.owner,
                kind=step.kind,
                position=step.position,
                input=step.input,
                parameters=job.parameters,
                attempt=step.attempts,
                taken_over=found.state is StepState.RUNNING,
                queued_at=max(step.announced_at or 0, job.created_at),
                traceparent=job.source.get("traceparent"),
            )

    def renew(self, lease: Lease) -> None:
        """Extend the lease to `lease_seconds` from now.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        with self._database.write() as session:
            self._change_step(session, lease, lease_expires_at=self.rules.clock() + self.rules.lease_seconds)

    @contextmanager
    def locked(self, lease: Lease) -> Iterator[None]:
        """Renew the lease, and keep others from claiming the step or ending the job during the block.

        Only for renaming files: on SQLite every other write waits for it.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        with self._database.write() as session:
            self._change_job(session, lease, state=JobState.RUNNING)
            self._change_step(session, lease, lease_expires_at=self.rules.clock() + self.rules.lease_seconds)
            yield

    def holds(self, lease: Lease) -> bool:
        """Whether the lease is still valid. Cheaper than `renew`: it writes nothing."""
        with self._database.read() as session:
            return session.scalar(select(Step.id).where(*self._held(lease))) is not None

    def release(self, lease: Lease) -> None:
        """Queue the step again without counting the attempt, since the worker is stopping.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        self._requeue(lease, attempts=Step.attempts - 1, announced_at=0)

    def requeue_after_error(self, lease: Lease) -> None:
        """Queue the step again after an error that may be temporary. The attempt counts, and the next one waits a
        little.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        self._requeue(lease, announced_at=self.rules.clock())

    def record_progress(self, lease: Lease, done: int, detail: dict[str, Any]) -> None:
        """Write progress to the job's row: `done` of the job's total, and details.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        with self._database.write() as session:
            self._change_job(session, lease, done=done, detail=detail)
            self._change_step(session, lease, lease_expires_at=self.rules.clock() + self.rules.lease_seconds)

    def finish_plan(self, lease: Lease, shards: Sequence[Shard], detail: dict[str, Any]) -> Sequence[int]:
        """Write the shards of a classification and its total; return the ids of the shards' steps, now queued.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        now = self.rules.clock()
        with self._database.write() as session:
            self._change_job(session, lease, detail=detail, total=shards[-1].stop)
            self._change_step(session, lease, state=StepState.DONE, lease_token=None, lease_expires_at=None)
            steps = [
                Step(
                    job_id=lease.job_id,
                    kind=StepKind.SHARD,
                    position=position,
                    state=StepState.QUEUED,
                    input={"start": shard.start, "stop": shard.stop},
                    version=self.rules.version,
                    announced_at=now,
                )
                for position, shard in enumerate(shards)
            ]
            session.add_all(steps)
            session.add(
                Step(
                    job_id=lease.job_id,
                    kind=StepKind.MERGE,
                    state=StepState.WAITING,
                    version=self.rules.version,
                    announced_at=now,
                )
            )
            session.flush()
            return [step.id for step in steps]

    def finish_shard(self, lease: Lease, images: int, output: dict[str, Any]) -> Sequence[int]:
        """Mark a shard as done; return the id of the merge step if this was the last shard, else nothing.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        with self._database.write() as session:
            self._change_job(session, lease, done=Job.done + images)
            self._change_step(
                session, lease, state=StepState.DONE, output=output, lease_token=None, lease_expires_at=None
            )
            session.execute(
                update(Step)
                .where(Step.job_id == lease.job_id, Step.kind == StepKind.MERGE, Step.version < self.rules.version)
                .values(version=self.rules.version)
            )
            return queue_merge_if_shards_are_done(session, lease.job_id)

    def shard_outputs(self, job_id: str) -> Sequence[dict[str, Any]]:
        """The `output` that `finish_shard` was given for each shard, in member order."""
        query = (
            select(Step.output)
            .where(Step.job_id == job_id, Step.kind == StepKind.SHARD, Step.state == StepState.DONE)
            .order_by(Step.position)
        )
        with self._database.read() as session:
            return [output for output in session.scalars(query) if output is not None]

    def await_trials(self, lease: Lease, new: Sequence[Job], ended: int, detail: dict[str, Any]) -> Sequence[int]:
        """Write new trials of a sweep and let its step wait; return the ids of the trials' steps, now queued.

        Args:
            new: trainings to queue as trials, and trials that failed before they started.
            ended: how many trials had ended when the caller looked. If more have ended since, the sweep's own step is
                queued again immediately.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        now = self.rules.clock()
        with self._database.write() as session:
            self._change_job(session, lease, done=ended, detail=detail)
            self._change_step(
                session, lease, state=StepState.WAITING, attempts=0, lease_token=None, lease_expires_at=None
            )
            session.add_all(new)
            session.flush()
            steps = [
                Step(
                    job_id=job.id,
                    kind=StepKind.TRAIN,
                    state=StepState.QUEUED,
                    version=self.rules.version,
                    announced_at=now,
                )
                for job in new
                if not job.state.final
            ]
            session.add_all(steps)
            session.flush()
            trials = select(func.count()).where(Job.parent_id == lease.job_id, Job.state.not_in(UNFINISHED))
            if session.scalars(trials).one() > ended:
                wake_sweep(session, lease.job_id)
            return [step.id for step in steps]

    def prune_trial(self, lease: Lease, reason: str) -> None:
        """End a trial that its sweep prunes.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        with self._database.write() as session:
            lock_parent(session, lease.job_id)
            self._change_job(session, lease, error=reason)
            self._change_step(session, lease, state=StepState.WAITING)
            end_job(session, lease.job_id, JobState.CANCELLED, self.rules.clock())

    def finish_job(
        self, lease: Lease, summary: dict[str, Any], *, model: Model | None = None, best_trial: str | None = None
    ) -> None:
        """Mark the job as succeeded; its files are in place.

        Args:
            model: to add to the registry in the same transaction; see `adopt_first_model`.
            best_trial: the id of a sweep's best trial, whose model stops being marked as a trial's.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        now = self.rules.clock()
        with self._database.write() as session:
            lock_parent(session, lease.job_id)
            self._change_job(session, lease, done=Job.total)
            self._change_step(session, lease, state=StepState.DONE, lease_token=None, lease_expires_at=None)
            if model is not None:
                session.add(model)
                session.flush()
            if best_trial is not None:
                session.execute(update(Model).where(Model.id == best_trial).values(trial=False))
            candidate = best_trial if model is None or model.trial else model.id
            if candidate is not None:
                note = adopt_first_model(session, candidate, who=lease.owner, at=now)
                summary = summary | {"notes": [*summary.get("notes", []), note]}
            end_job(session, lease.job_id, JobState.SUCCEEDED, now, summary=summary)

    def fail_job(self, lease: Lease, reason: str) -> None:
        """Mark the job as failed: no worker could finish it.

        Raises:
            LeaseLost: the lease is no longer valid.
        """
        with self._database.write() as session:
            lock_parent(session, lease.job_id)
            self._change_job(session, lease, error=reason)
            self._change_step(session, lease, state=StepState.WAITING)
            end_job(session, lease.job_id, JobState.FAILED, self.rules.clock())

    def _requeue(self, lease: Lease, **values: Any) -> None:
        with self._database.write() as session:
            self._change_step(session, lease, state=StepState.QUEUED, lease_token=None, lease_expires_at=None, **values)

    def _change_job(self, session: Session, lease: Lease, **values: Any) -> None:
        running = (Job.id == lease.job_id, Job.state == JobState.RUNNING)
        if not rows_changed(session, update(Job).where(*running).values(**values)):
            raise LeaseLost(f"Job {lease.job_id} is no longer running.")

    def _change_step(self, session: Session, lease: Lease, **values: Any) -> None:
        if not rows_changed(session, update(Step).where(*self._held(lease)).values(**values)):
            raise LeaseLost(f"The lease on {lease.kind.value} step {lease.step_id} of job {lease.job_id} is lost.")

    def _held(self, lease: Lease) -> tuple[ColumnElement[bool], ...]:
        return (
            Step.id == lease.step_id,
            Step.lease_token == lease.token,
            Step.lease_expires_at >= self.rules.clock(),
        )
