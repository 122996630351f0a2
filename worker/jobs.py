"""The store of jobs: submit, look up, list, cancel, retry, delete.

What a *worker* does to a job (claim, renew, complete, fail) is in `leases.py`. Both lock in one order, a sweep's row
before its trials', a job's row before its steps', and its owner's row after these, so that two of them never wait for
each other.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from worker.clock import Clock
from worker.database import Database, rows_changed
from worker.errors import IdempotencyConflict, OfLaterVersion, QuotaExceeded, UnknownJob, WrongState
from worker.lookups import Lookup
from worker.people.quotas import UNLIMITED, Quota, Usage, check_quota, usage
from worker.records import Job, Step
from worker.states import UNFINISHED, JobKind, JobState, StepKind, StepState
from worker.versions import STEP_VERSION
from worker.webhooks import tell_webhooks

FIRST_STEP = {
    JobKind.TRAINING: StepKind.TRAIN,
    JobKind.CLASSIFICATION: StepKind.PLAN,
    JobKind.IMPORT: StepKind.IMPORT,
    JobKind.SWEEP: StepKind.ADVANCE,
    JobKind.REVIEW: StepKind.CORRECT,
}


# In the course of an update there may be others, which this version leaves to later ones.
KNOWN_KIND = Job.kind.in_(list(JobKind))


class JobStore:
    """Jobs in the database. Every method is one transaction.

    Args:
        database: where the rows are.
        clock: seconds since the epoch; an argument so that tests can set the time.
        quota: how much each owner may have.
        version: of the steps that are written (`versions.py`).
    """

    def __init__(
        self,
        database: Database,
        clock: Clock = time.time,
        quota: Quota = UNLIMITED,
        version: int = STEP_VERSION,
    ) -> None:
        self._database = database
        self._clock = clock
        self._quota = quota
        self._version = version
        self._job_with_id = Lookup(database.engine, select(Job.__table__).where(Job.id == bindparam("id")))

    def submit(
        self,
        job_id: str,
        kind: JobKind,
        parameters: dict[str, Any],
        *,
        total: int,
        source: dict[str, Any] | None = None,
        fingerprint: str,
        idempotency_key: str | None = None,
        owner: str | None = None,
    ) -> Job:
        """Write the job and its first step down. When this returns, the job will reach a final state.

        With an idempotency key that the owner used before, the job of that first use is returned instead.

        Args:
            total: epochs, images or files to be done.
            source: what is known of the uploaded input: name, bytes, sha256.
            fingerprint: a digest of everything submitted, to tell a repetition from another submission.
            owner: who submits it; None where there are no users.

        Raises:
            IdempotencyConflict: the key was used with another fingerprint.
            QuotaExceeded: the owner would have more than they may.
        """
        now = self._clock()
        job = Job(
            id=job_id,
            kind=kind,
            state=JobState.QUEUED,
            parameters=parameters,
            source=source or {},
            owner=owner,
            idempotency_key=_owned_key(idempotency_key, owner),
            fingerprint=fingerprint,
            created_at=now,
            total=total,
            bytes=(source or {}).get("bytes", 0),
        )
        first_step = Step(
            job_id=job_id, kind=FIRST_STEP[kind], state=StepState.QUEUED, version=self._version, announced_at=now
        )
        try:
            with self._database.write() as session:
                check_quota(session, owner, self._quota, new_bytes=job.bytes)
                session.add(job)
                session.flush()
                session.add(first_step)
        except (IntegrityError, QuotaExceeded):
            # A repetition that came while the first was being written.
            existing = self.submitted_before(idempotency_key, fingerprint, owner)
            if existing is None:
                raise
            return existing
        return job

    def submitted_before(self, idempotency_key: str | None, fingerprint: str, owner: str | None = None) -> Job | None:
        """The job that an earlier submission of this owner with this key made, or None.

        Raises:
            IdempotencyConflict: the key was used with another fingerprint.
        """
        job = self.with_key(idempotency_key, owner)
        if job is not None and job.fingerprint != fingerprint:
            raise IdempotencyConflict(
                f"The Idempotency-Key {idempotency_key!r} was used for job {job.id} with other content; "
                "use a new key for a new job."
            )
        return job

    def with_key(self, idempotency_key: str | None, owner: str | None = None) -> Job | None:
        """The job that this owner's key stands for, whatever its content, or None."""
        if idempotency_key is None:
            return None
        key = _owned_key(idempotency_key, owner)
        with self._database.read() as session:
            return session.scalar(select(Job).where(Job.idempotency_key == key, KNOWN_KIND))

    def get(self, job_id: str) -> Job:
        """The job as it is now.

        Raises:
            UnknownJob: there is none with this id.
            OfLaterVersion: it is of a kind that this version does not know.
        """
        return self.read(self.row(job_id))

    def row(self, job_id: str) -> tuple[Any, ...]:
        """The same as the database gives it: to see, at less cost, whether it is as it was.

        Raises:
            UnknownJob: there is none with this id.
        """
        row = self._job_with_id.row(id=job_id)
        if row is None:
            raise UnknownJob(f"There is no job {job_id!r}; see the list of jobs for those there are.")
        return row

    def read(self, row: tuple[Any, ...]) -> Job:
        """The job of a row.

        Raises:
            OfLaterVersion: it is of a kind that this version does not know.
        """
        try:
            return Job.of_row(self._job_with_id.read(row))
        except LookupError as error:
            raise OfLaterVersion(
                "This job is of a kind that a later version of Tenfold made, and this server is yet to be updated to. "
                "Ask again soon."
            ) from error

    def list(
        self,
        *,
        kind: JobKind | None = None,
        state: JobState | None = None,
        parent: str | None = None,
        owner: str | None = None,
        created_after: float | None = None,
        created_before: float | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Job]:
        """Jobs, the newest first: at most `limit`, older than the job id `before` where one is given, of this owner
        where one is named.

        `created_after` and `created_before` are seconds since the epoch; the first is within.
        The trials of a sweep are listed only where it is named as the `parent`, and jobs of a kind that only a later
        version knows are not.
        """
        query = select(Job).where(Job.parent_id == parent, KNOWN_KIND).order_by(Job.id.desc()).limit(limit)
        if kind is not None:
            query = query.where(Job.kind == kind)
        if state is not None:
            query = query.where(Job.state == state)
        if owner is not None:
            query = query.where(Job.owner == owner)
        if created_after is not None:
            query = query.where(Job.created_at >= created_after)
        if created_before is not None:
            query = query.where(Job.created_at < created_before)
        if before is not None:
            query = query.where(Job.id < before)
        with self._database.read() as session:
            return session.scalars(query).all()

    def unfinished(self, kind: JobKind) -> Sequence[Job]:
        """All jobs of this kind that have not ended, the oldest first."""
        query = select(Job).where(Job.kind == kind, Job.state.in_(UNFINISHED)).order_by(Job.id)
        with self._database.read() as session:
            return session.scalars(query).all()

    def steps_in_line(self, job_id: str) -> Sequence[int]:
        """The ids of the job's steps that a worker could claim now."""
        query = select(Step.id).where(Step.job_id == job_id, Step.state == StepState.QUEUED).order_by(Step.id)
        with self._database.read() as session:
            return session.scalars(query).all()

    def trials(self, job_id: str) -> Sequence[Job]:
        """The trainings of a sweep, in the order in which they were thought of."""
        with self._database.read() as session:
            return session.scalars(select(Job).where(Job.parent_id == job_id).order_by(Job.id)).all()

    def cancel(self, job_id: str) -> Job:
        """End an unfinished job, and a sweep's trials with it. A worker that runs it notices at its next lease check
        and stops.

        Raises:
            UnknownJob: there is none with this id.
            WrongState: it has already ended.
        """
        with self._database.write() as session:
            cancelled = end_job(session, job_id, JobState.CANCELLED, self._clock())
        job = self.get(job_id)
        if not cancelled:
            raise WrongState(f"Job {job_id} has already {job.state.value}; there is nothing to cancel.")
        return job

    def retry(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again. Shards done, checkpoints written, and trials that succeeded or were
        given up are kept; trials that failed are tried again.

        Raises:
            UnknownJob: there is none with this id.
            WrongState: it is unfinished, has succeeded, or is a trial whose values do not go together.
            QuotaExceeded: its owner would have more unfinished jobs than they may.
        """
        owner = self.get(job_id).owner
        with self._database.write() as session:
            lock_parent(session, job_id)
            session.execute(select(Job.id).where(Job.id == job_id).with_for_update())
            check_quota(session, owner, self._quota)
            queued = self._queue_again(session, job_id)
            cut_short = and_(Job.state == JobState.CANCELLED, Job.error.is_(None))
            to_try = select(Job.id).where(Job.parent_id == job_id, or_(Job.state == JobState.FAILED, cut_short))
            for trial_id in session.scalars(to_try).all() if queued else ():
                self._queue_again(session, trial_id)
        job = self.get(job_id)
        if not queued and job.state is JobState.FAILED:
            raise WrongState(f"Job {job_id} would fail again: {job.error}")
        if not queued:
            raise WrongState(f"Job {job_id} is {job.state.value}; only a failed or cancelled job can be retried.")
        return job

    def _queue_again(self, session: Session, job_id: str) -> bool:
        lock_parent(session, job_id)
        queued = rows_changed(
            session,
            update(Job)
            .where(
                Job.id == job_id,
                Job.state.in_([JobState.FAILED, JobState.CANCELLED]),
                # A trial whose values did not go together never had one.
                exists().where(Step.job_id == job_id),
            )
            .values(state=JobState.QUEUED, error=None, finished_at=None),
        )
        if queued:
            job = session.get_one(Job, job_id)
            job.detail = job.detail | {"retry": {"at": self._clock(), "done": job.done}}
            session.execute(
                update(Step)
                .where(Step.job_id == job_id, Step.state == StepState.WAITING)
                .values(
                    state=case((Step.kind == StepKind.MERGE, StepState.WAITING), else_=StepState.QUEUED),
                    attempts=0,
                    announced_at=self._clock(),
                )
            )
            queue_merge_if_shards_are_done(session, job_id)
        return bool(queued)

    def usage(self, owner: str) -> Usage:
        """How much somebody has now."""
        with self._database.read() as session:
            return usage(session, owner)

    def check_room(self, owner: str | None, new_bytes: int) -> None:
        """Refuse an upload that is too large for its owner, before it is received.

        Raises:
            QuotaExceeded: they would have more than they may.
        """
        with self._database.write() as session:
            check_quota(session, owner, self._quota, new_jobs=0, new_bytes=new_bytes)

    def note_bytes(self, job_id: str, count: int) -> None:
        """Write down what the job's files take on the volume."""
        with self._database.write() as session:
            session.execute(update(Job).where(Job.id == job_id).values(bytes=count))

    def delete(self, job_id: str) -> None:
        """Forget a finished job, and a sweep's trials. Their files are the caller's to remove.

        Raises:
            UnknownJob: there is none with this id.
            WrongState: it has not ended, nor has a trial of it, or the sweep that it is a trial of.
        """
        with self._database.write() as session:
            parent_id = lock_parent(session, job_id)
            session.execute(select(Job.id).where(Job.id == job_id).with_for_update())
            family = or_(Job.id.in_([job_id, parent_id]), Job.parent_id == job_id)
            unfinished = session.scalar(select(Job).where(family, Job.state.in_(UNFINISHED)).limit(1))
            if unfinished is None:
                session.execute(delete(Job).where(Job.parent_id == job_id))
                deleted = rows_changed(session, delete(Job).where(Job.id == job_id))
        if unfinished is not None:
            raise WrongState(f"Job {unfinished.id} is {unfinished.state.value}; cancel it first, then delete {job_id}.")
        if not deleted:
            self.get(job_id)


def _owned_key(idempotency_key: str | None, owner: str | None) -> str | None:
    """A key as its column has it: two people's keys never meet, whatever they chose."""
    if idempotency_key is None or owner is None:
        return idempotency_key
    return hashlib.sha256(json.dumps([owner, idempotency_key]).encode()).hexdigest()


def end_job(session: Session, job_id: str, state: JobState, now: float, **values: Any) -> bool:
    """Move an unfinished job to a final state and take its steps off the workers. False when it had ended.

    A sweep that did not succeed takes its trials with it. The sweep that a trial belongs to is told: its step comes in
    line. Of any other job webhooks are told.

    Args:
        now: when this began; while it waited for the row, a worker may have begun the job.
    """
    parent_id = lock_parent(session, job_id)
    finished_at = case((Job.started_at > now, Job.started_at), (Job.created_at > now, Job.created_at), else_=now)
    unfinished = Job.id == job_id, Job.state.in_(UNFINISHED)
    values |= {"state": state, "finished_at": finished_at}
    ended = rows_changed(session, update(Job).where(*unfinished).values(**values))
    if ended:
        session.execute(
            update(Step)
            .where(Step.job_id == job_id, Step.state != StepState.DONE)
            .values(state=StepState.WAITING, lease_token=None, lease_expires_at=None)
        )
    if ended and state is not JobState.SUCCEEDED:
        for trial_id in session.scalars(select(Job.id).where(Job.parent_id == job_id)).all():
            end_job(session, trial_id, JobState.CANCELLED, now)
    if ended and parent_id is not None:
        wake_sweep(session, parent_id)
    elif ended:
        tell_webhooks(session, job_id, now)
    return bool(ended)


def lock_parent(session: Session, job_id: str) -> str | None:
    """Lock the row of the sweep that the job is a trial of, and return its id. To be called before the trial's own row
    is changed, where the sweep's will be."""
    parent_id = session.scalar(select(Job.parent_id).where(Job.id == job_id))
    if parent_id is not None:
        session.execute(select(Job.id).where(Job.id == parent_id).with_for_update())
    return parent_id


def wake_sweep(session: Session, job_id: str) -> None:
    """Put the waiting step of an unfinished sweep in line, for a worker to look at what has ended."""
    running = select(Job.id).where(Job.id == job_id, Job.state.in_(UNFINISHED)).scalar_subquery()
    session.execute(
        update(Step)
        .where(Step.job_id == running, Step.kind == StepKind.ADVANCE, Step.state == StepState.WAITING)
        .values(state=StepState.QUEUED, announced_at=0)
    )


def queue_merge_if_shards_are_done(session: Session, job_id: str) -> Sequence[int]:
    """Put the job's waiting merge in line once every shard is done; return its id then, else nothing."""
    unfinished = select(Step.id).where(
        Step.job_id == job_id, Step.kind == StepKind.SHARD, Step.state.in_(set(StepState) - {StepState.DONE})
    )
    if session.scalar(unfinished.limit(1)):
        return []
    return session.scalars(
        update(Step)
        .where(Step.job_id == job_id, Step.kind == StepKind.MERGE, Step.state == StepState.WAITING)
        .values(state=StepState.QUEUED)
        .returning(Step.id)
        .execution_options(synchronize_session=False)
    ).all()
