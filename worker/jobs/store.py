"""The store of jobs: submit, look up, list, cancel, retry, delete.

What a *worker* does to a job (claim, renew, complete, fail) is in `leases.py`; what both do to rows, and in which order
they lock, in `transitions.py`.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.lookups import Lookup
from tenfold.worker.db.records import KNOWN_KIND, Job, Step
from tenfold.worker.db.states import FIRST_STEP, UNFINISHED, JobKind, JobState, StepKind, StepState
from tenfold.worker.errors import IdempotencyConflict, OfLaterVersion, QuotaExceeded, UnknownJob, WrongState
from tenfold.worker.jobs.transitions import end_job, lock_parent, queue_merge_if_shards_are_done
from tenfold.worker.people.quotas import UNLIMITED, Quota, Usage, check_quota, usage
from tenfold.worker.versions import STEP_VERSION


class JobStore:
    """Jobs in the database. Every method is one transaction.

    Args:
        database: where the rows are.
        clock: seconds since the epoch.
        quota: the limit for each owner.
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
        """Write the job and its first step.

        With an idempotency key that the owner has used before, return that first job instead.

        Args:
            total: epochs, images or files to be done.
            source: the uploaded input: name, bytes, sha256; `sample` is the same of a second file.
            fingerprint: a digest of everything submitted, which distinguishes a repetition from another submission.
            owner: who submits it; None without users.

        Raises:
            IdempotencyConflict: the key was used with another fingerprint.
            QuotaExceeded: the owner's quota is used up.
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
            bytes=sum(file.get("bytes", 0) for file in (source or {}, (source or {}).get("sample", {}))),
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
            # A repetition that ran at the same time as the first.
            existing = self.submitted_before(idempotency_key, fingerprint, owner)
            if existing is None:
                raise
            return existing
        return job

    def submitted_before(self, idempotency_key: str | None, fingerprint: str, owner: str | None = None) -> Job | None:
        """The job of an earlier submission by this owner with this key, or None.

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
        """The job with this owner's key, whatever its fingerprint, or None."""
        if idempotency_key is None:
            return None
        key = _owned_key(idempotency_key, owner)
        with self._database.read() as session:
            return session.scalar(select(Job).where(Job.idempotency_key == key, KNOWN_KIND))

    def get(self, job_id: str) -> Job:
        """The job as it is now.

        Raises:
            UnknownJob: no job has this id.
            OfLaterVersion: the job is of a kind that this version does not know.
        """
        return self.read(self.row(job_id))

    def row(self, job_id: str) -> tuple[Any, ...]:
        """The job's row as the database driver returns it: a cheap way to see whether it has changed.

        Raises:
            UnknownJob: no job has this id.
        """
        row = self._job_with_id.row(id=job_id)
        if row is None:
            raise UnknownJob(f"There is no job {job_id!r}; see the list of jobs for those there are.")
        return row

    def read(self, row: tuple[Any, ...]) -> Job:
        """The job in a row.

        Raises:
            OfLaterVersion: the job is of a kind that this version does not know.
        """
        try:
            return Job.of_row(self._job_with_id.read(row))
        except LookupError as error:
            raise OfLaterVersion(
                "A later version of Tenfold made this job, of a kind that this server does not know until it is "
                "updated. Try again later."
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
        """Jobs, newest first.

        Args:
            parent: list the trials of this sweep, instead of the jobs that are no trials.
            created_after, created_before: seconds since the epoch; the first inclusive, the second exclusive.
            before: only jobs with lower ids, for the next page.
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
        """All jobs of this kind that have not ended, oldest first."""
        query = select(Job).where(Job.kind == kind, Job.state.in_(UNFINISHED)).order_by(Job.id)
        with self._database.read() as session:
            return session.scalars(query).all()

    def queued_steps(self, job_id: str) -> Sequence[int]:
        """The ids of the job's steps that a worker could claim now."""
        query = select(Step.id).where(Step.job_id == job_id, Step.state == StepState.QUEUED).order_by(Step.id)
        with self._database.read() as session:
            return session.scalars(query).all()

    def trials(self, job_id: str) -> Sequence[Job]:
        """The trials of a sweep, in the order of their creation."""
        with self._database.read() as session:
            return session.scalars(select(Job).where(Job.parent_id == job_id).order_by(Job.id)).all()

    def cancel(self, job_id: str) -> Job:
        """Cancel an unfinished job, and a sweep's trials with it. Its worker stops at the next check of its lease.

        Raises:
            UnknownJob: no job has this id.
            WrongState: it has already ended.
        """
        with self._database.write() as session:
            cancelled = end_job(session, job_id, JobState.CANCELLED, self._clock())
        job = self.get(job_id)
        if not cancelled:
            raise WrongState(f"Job {job_id} is already {job.state.value}; there is nothing to cancel.")
        return job

    def retry(self, job_id: str) -> Job:
        """Queue a failed or cancelled job again. Finished shards, checkpoints, and trials that succeeded or were pruned
        are kept; failed trials are tried again.

        Raises:
            UnknownJob: no job has this id.
            WrongState: it is unfinished, has succeeded, or is a trial with an invalid combination of values.
            QuotaExceeded: its owner's quota of unfinished jobs is used up.
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
                # A trial with an invalid combination of values has none.
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
        """What an owner's jobs use now."""
        with self._database.read() as session:
            return usage(session, owner)

    def check_room(self, owner: str | None, new_bytes: int) -> None:
        """Refuse an upload that would exceed its owner's quota, before it is received.

        Raises:
            QuotaExceeded: it would.
        """
        with self._database.write() as session:
            check_quota(session, owner, self._quota, new_jobs=0, new_bytes=new_bytes)

    def note_bytes(self, job_id: str, count: int) -> None:
        """Record the size of the job's files on the volume."""
        with self._database.write() as session:
            session.execute(update(Job).where(Job.id == job_id).values(bytes=count))

    def delete(self, job_id: str) -> None:
        """Delete the row of a finished job, and of a sweep's trials. The caller removes their files.

        Raises:
            UnknownJob: no job has this id.
            WrongState: it has not ended, or one of its trials or its sweep has not.
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
    """The key as it is stored: the same key of two owners is two keys."""
    if idempotency_key is None or owner is None:
        return idempotency_key
    return hashlib.sha256(json.dumps([owner, idempotency_key]).encode()).hexdigest()
