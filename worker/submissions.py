"""Takes a job in: check it, make its files durable, commit its row, then tell the queue. In that order."""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from ulid import ULID

from trainer.parameters import TrainingParameters
from worker.datasets import check_usable, why_name_is_taken
from worker.errors import ArchiveError, InvalidSubmission, UnknownJob, UnknownModel, WorkerError
from worker.inputs import note_listing
from worker.parameters import ClassificationParameters, ImportParameters, ReviewParameters
from worker.preparing import preparation_for
from worker.records import Job
from worker.reviews import check_mergeable
from worker.services import Services
from worker.settings import Settings
from worker.sources import Limits, Listing, count_images, list_whole, suffix_of
from worker.states import JobKind
from worker.storage import Storage
from worker.storage.whole import sync_directory
from worker.sweep_parameters import SweepParameters
from worker.tracing import trace_link

# Of an uploaded file, as of most file systems.
LONGEST_NAME = 255


@dataclass(frozen=True)
class Upload:
    """A file that arrived whole on the volume's `uploads/` and is durable there."""

    path: Path
    name: str
    bytes: int
    sha256: str


def submit_training(services: Services, parameters: TrainingParameters, idempotency_key: str | None = None) -> Job:
    """Queue a training.

    Raises:
        InvalidSubmission: there is no such data set.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: its owner would have more than they may.
    """
    fingerprint = _fingerprint(JobKind.TRAINING, parameters)
    return _submit(
        services, JobKind.TRAINING, parameters.resolved(), parameters.plan().epochs, fingerprint, idempotency_key
    )


def submit_sweep(services: Services, parameters: SweepParameters, idempotency_key: str | None = None) -> Job:
    """Queue a sweep; its trials are queued by the worker that takes it.

    Raises:
        InvalidSubmission: there is no such data set.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: its owner would have more than they may.
    """
    fingerprint = _fingerprint(JobKind.SWEEP, parameters)
    return _submit(services, JobKind.SWEEP, parameters, parameters.trial_count, fingerprint, idempotency_key)


def _submit(
    services: Services,
    kind: JobKind,
    parameters: TrainingParameters,
    total: int,
    fingerprint: str,
    idempotency_key: str | None,
) -> Job:
    written = parameters.model_dump(mode="json")
    if existing := services.jobs.submitted_before(idempotency_key, fingerprint, services.owner):
        return existing
    check_usable(services.volume, parameters.dataset)
    job_id = new_id()
    services.volume.job(job_id).mkdir()
    job = _write_down(
        services, job_id, kind, written, total=total, fingerprint=fingerprint, idempotency_key=idempotency_key
    )
    return _announce(services, job, job_id)


def submit_classification(
    services: Services,
    parameters: ClassificationParameters,
    upload: Upload | None,
    idempotency_key: str | None = None,
) -> Job:
    """Queue the classification of an uploaded archive, or of the directory that the parameters name.

    The upload is moved to the job, or removed.

    Args:
        upload: None where the parameters name a directory.

    Raises:
        InvalidSubmission: there are no images that can be used, the model is unknown, or there is none yet.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: its owner would have more than they may.
    """
    try:
        fingerprint = _fingerprint(JobKind.CLASSIFICATION, parameters, *([upload.sha256] if upload else []))
        if existing := services.jobs.submitted_before(idempotency_key, fingerprint, services.owner):
            return existing
        resolved = _with_model(services, parameters).model_dump(mode="json")
        job_id = new_id()
        if upload is not None:
            total, suffix, listing = _look_into(upload.path, "file", services.settings)
            _move(upload, services.volume.archive_of_kind(job_id, suffix), services.volume.storage)
            if listing is not None:
                note_listing(services.volume, job_id, listing)
        else:
            total, *_ = _look_into(_inbox_directory(services, parameters.directory), "directory", services.settings)
            services.volume.job(job_id).mkdir()
    finally:
        if upload is not None:
            upload.path.unlink(missing_ok=True)
    job = _write_down(
        services,
        job_id,
        JobKind.CLASSIFICATION,
        resolved,
        source=_source(upload) if upload else {"name": f"inbox/{parameters.directory}"},
        total=total,
        fingerprint=fingerprint,
        idempotency_key=idempotency_key,
    )
    return _announce(services, job, job_id)


def submit_import(
    services: Services, parameters: ImportParameters, upload: Upload, idempotency_key: str | None = None
) -> Job:
    """Queue the import of an uploaded data set. The upload is moved to the job, or removed.

    Raises:
        InvalidSubmission: the name is taken.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: its owner would have more than they may.
    """
    try:
        resolved = parameters.model_dump(mode="json")
        fingerprint = _fingerprint(JobKind.IMPORT, parameters, upload.sha256)
        # Asked first: a repetition of this submission that is under way takes the name too.
        taken = why_name_is_taken(services, parameters.name)
        if existing := services.jobs.submitted_before(idempotency_key, fingerprint, services.owner):
            return existing
        if taken:
            raise InvalidSubmission("name", taken)
        job_id = new_id()
        _move(upload, services.volume.upload(job_id), services.volume.storage)
    finally:
        upload.path.unlink(missing_ok=True)
    job = _write_down(
        services,
        job_id,
        JobKind.IMPORT,
        resolved,
        source=_source(upload),
        total=1,
        fingerprint=fingerprint,
        idempotency_key=idempotency_key,
    )
    return _announce(services, job, job_id)


def submit_review(services: Services, parameters: ReviewParameters, idempotency_key: str | None = None) -> Job:
    """Queue the merging of a classification's corrections into its results, and into a data set where one is named.

    Raises:
        InvalidSubmission: there is no such classification or nothing in it was corrected, the data set's name is taken,
            or `together_with` is no data set of the same classes.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: its owner would have more than they may.
    """
    resolved = parameters.model_dump(mode="json")
    fingerprint = _fingerprint(JobKind.REVIEW, parameters)
    # Asked first: a repetition of this submission that is under way takes the name too.
    taken = why_name_is_taken(services, parameters.dataset) if parameters.dataset else None
    if existing := services.jobs.submitted_before(idempotency_key, fingerprint, services.owner):
        return existing
    corrected = check_mergeable(services, parameters)
    if taken:
        raise InvalidSubmission("dataset", taken)
    job_id = new_id()
    services.volume.job(job_id).mkdir()
    job = _write_down(
        services,
        job_id,
        JobKind.REVIEW,
        resolved,
        total=corrected,
        fingerprint=fingerprint,
        idempotency_key=idempotency_key,
    )
    return _announce(services, job, job_id)


def retry(services: Services, job_id: str) -> Job:
    """Queue a failed or cancelled job again; see `JobStore.retry`."""
    job = services.jobs.retry(job_id)
    for queued in (job, *services.jobs.trials(job_id)):
        services.queue.announce(queued.kind, services.jobs.steps_in_line(queued.id))
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


def _with_model(services: Services, parameters: ClassificationParameters) -> ClassificationParameters:
    models = [services.models.serving(model_id) for model_id in parameters.model or (None,)]
    if any(model.class_names != models[0].class_names for model in models):
        raise InvalidSubmission("model", "Models that answer together must know the same classes; these do not.")
    preparation_for(parameters, models)
    return parameters.model_copy(update={"model": tuple(model.id for model in models)})


def _inbox_directory(services: Services, directory: str | None) -> Path:
    if directory is not None and services.settings.bucket is not None:
        raise InvalidSubmission(
            "directory",
            f"The volume is the bucket {services.settings.bucket}, of which no directory is read. Pack the images into "
            "an archive and send that.",
        )
    if directory is None:
        raise InvalidSubmission("file", "There is nothing to classify: send a file, or name a directory of the inbox.")
    found = services.volume.inbox_directory(directory)
    if found is None:
        raise InvalidSubmission(
            "directory",
            f"There is no directory {directory[:200]!r} in the inbox. Put the images into a directory in "
            f"{services.volume.inbox}, and give its path from there.",
        )
    return found


def _look_into(path: Path, field: str, settings: Settings) -> tuple[int, str, Listing | None]:
    """How many images there are, the suffix of such an archive, and its listing, where that was made to count them."""
    limits = Limits.of(settings)
    try:
        suffix = "" if path.is_dir() else suffix_of(path)
        listing = list_whole(path, limits)
        return count_images(path, limits) if listing is None else len(listing.images), suffix, listing
    except ArchiveError as error:
        raise InvalidSubmission(field, str(error)) from error


def _move(upload: Upload, path: Path, storage: Storage) -> None:
    path.parent.mkdir()
    upload.path.rename(path)
    sync_directory(path.parent)
    storage.publish(path)


def _source(upload: Upload) -> dict[str, Any]:
    return {"name": _shown(upload.name), "bytes": upload.bytes, "sha256": upload.sha256}


def _shown(name: str) -> str:
    """A file's name as pages, logs and terminals can show it, and every database can hold it."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name[:LONGEST_NAME])


def _write_down(services: Services, job_id: str, kind: JobKind, parameters: dict[str, Any], **values: Any) -> Job:
    """The job's row; its files go again where it may not be."""
    values["source"] = values.get("source", {}) | trace_link()
    try:
        return services.jobs.submit(job_id, kind, parameters, owner=services.owner, **values)
    except WorkerError:
        services.volume.delete_job(job_id)
        raise
    except SQLAlchemyError:
        _forget_unless_written(services, job_id)
        raise


def _forget_unless_written(services: Services, job_id: str) -> None:
    """Remove the files of a job that may have no row: its connection broke before the commit, or right after."""
    with suppress(SQLAlchemyError):
        try:
            services.jobs.get(job_id)
        except UnknownJob:
            services.volume.delete_job(job_id)


def _announce(services: Services, job: Job, job_id: str) -> Job:
    if job.id != job_id:
        services.volume.delete_job(job_id)
    else:
        services.queue.announce(job.kind, services.jobs.steps_in_line(job.id))
    return job


def _fingerprint(kind: JobKind, parameters: BaseModel, *content: str) -> str:
    """A digest of what was asked for, as it was given: where a default changes, such as the default model, the same
    request stays the same."""
    given = parameters.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return hashlib.sha256(json.dumps([kind, given, *content], sort_keys=True).encode()).hexdigest()


def new_id() -> str:
    """A new job's id; ids sort by the time of their making."""
    return str(ULID()).lower()
