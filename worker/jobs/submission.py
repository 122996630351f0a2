"""What the submissions of all kinds of jobs share: commit the row, then announce it; retry and delete.

Checking the parameters and making the files durable comes first, and is in `submission.py` of the feature's folder.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from ulid import ULID

from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import UnknownJob, UnknownModel, WorkerError, WrongState
from tenfold.worker.observability.tracing import trace_link
from tenfold.worker.services import Services


def new_id() -> str:
    """A new job id. Ids sort by the time they were made."""
    return str(ULID()).lower()


@dataclass(frozen=True)
class Submission:
    """A request to make a job.

    Args:
        fingerprint: a digest of what was requested; see `Submission.of`.
        idempotency_key: of two submissions of one owner with the same key, the second returns the first one's job.
    """

    services: Services
    kind: JobKind
    fingerprint: str
    idempotency_key: str | None

    @classmethod
    def of(
        cls, services: Services, kind: JobKind, parameters: BaseModel, idempotency_key: str | None, *content: str
    ) -> "Submission":
        """The fingerprint covers the parameters as they were given: when a default or an alias changes,
        the same request stays the same.

        Args:
            content: digests of uploaded files.
        """
        given = parameters.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        fingerprint = hashlib.sha256(json.dumps([kind, given, *content], sort_keys=True).encode()).hexdigest()
        return cls(services, kind, fingerprint, idempotency_key)

    def earlier_job(self) -> Job | None:
        """The job that the first submission with this key made.

        Raises:
            IdempotencyConflict: the key was used for another submission.
        """
        return self.services.jobs.submitted_before(self.idempotency_key, self.fingerprint, self.services.owner)

    def make_directory(self) -> str:
        """Make the directory of a new job without uploaded files; return the job's id."""
        job_id = new_id()
        self.services.volume.job(job_id).mkdir()
        return job_id

    def commit(
        self,
        job_id: str,
        parameters: BaseModel,
        *,
        total: int,
        source: dict[str, Any] | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> Job:
        """Write the job's row, then announce its first step. When the row is refused, the job's files are removed.

        Args:
            aliases: those that models were named by, with the ids of the models.

        Raises:
            IdempotencyConflict: the key was used for another submission.
            QuotaExceeded: the owner's quota is used up.
        """
        source = (source or {}) | ({"aliases": dict(aliases)} if aliases else {}) | trace_link()
        job = self._write_row(job_id, parameters.model_dump(mode="json"), total, source)
        if job.id != job_id:
            self.services.volume.delete_job(job_id)
        else:
            self.services.queue.announce(job.kind, self.services.jobs.queued_steps(job.id))
        return job

    def _write_row(self, job_id: str, parameters: dict[str, Any], total: int, source: dict[str, Any]) -> Job:
        services = self.services
        try:
            return services.jobs.submit(
                job_id,
                self.kind,
                parameters,
                total=total,
                source=source,
                fingerprint=self.fingerprint,
                idempotency_key=self.idempotency_key,
                owner=services.owner,
            )
        except WorkerError:
            services.volume.delete_job(job_id)
            raise
        except SQLAlchemyError:
            _delete_files_unless_committed(services, job_id)
            raise


def retry(services: Services, job_id: str) -> Job:
    """Queue a failed or cancelled job again; see `JobStore.retry`.

    Raises:
        WrongState: also where the model that it starts from has been deleted.
    """
    ancestor = services.jobs.get(job_id).parameters.get("from_model")
    if ancestor is not None:
        try:
            services.models.get(ancestor)
        except UnknownModel as error:
            raise WrongState(
                f"Job {job_id} cannot be retried: the model {ancestor}, which it starts from, has been deleted. "
                "Submit a new one that starts from another model."
            ) from error
    job = services.jobs.retry(job_id)
    for queued in (job, *services.jobs.trials(job_id)):
        services.queue.announce(queued.kind, services.jobs.queued_steps(queued.id))
    return job


def delete(services: Services, job_id: str) -> None:
    """Remove a finished job and its files; the model that a training made stays. See `JobStore.delete`."""
    trials = services.jobs.trials(job_id)
    services.jobs.delete(job_id)
    for deleted_id in (job_id, *(trial.id for trial in trials)):
        services.volume.delete_job(deleted_id)
        try:
            services.models.get(deleted_id)
        except UnknownModel:
            services.volume.delete_model(deleted_id)


def _delete_files_unless_committed(services: Services, job_id: str) -> None:
    """The database connection broke before the commit, or right after it: look whether the row exists."""
    with suppress(SQLAlchemyError):
        try:
            services.jobs.get(job_id)
        except UnknownJob:
            services.volume.delete_job(job_id)
