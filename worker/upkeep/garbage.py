"""What `tenfold gc` may remove: what the rules no longer keep, what killed processes left, and files without a row."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import KNOWN_KIND, Job, Model
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import OfLaterVersion
from tenfold.worker.settings import Settings
from tenfold.worker.storage.volume import Volume

DAY_SECONDS = 86_400


class Kind(StrEnum):
    JOB = "expired_job"
    MODEL = "losing_model"
    UPLOAD = "unfinished_upload"
    PARTIAL_FILE = "partial_file"
    WORK = "work_of_ended_job"
    ORPHAN = "files_without_row"
    MISSING = "row_without_files"


@dataclass(frozen=True)
class Garbage:
    """One item. `name` is the id of a job or model, or a path on the volume; `path` is None if there are no files."""

    kind: Kind
    name: str
    reason: str
    bytes: int = 0
    path: Path | None = None


@dataclass(frozen=True)
class JobRow:
    """The columns of a job that are needed here."""

    id: str
    parent_id: str | None
    kind: JobKind
    state: JobState
    finished_at: float | None
    parameters: dict[str, Any]


def read_jobs(database: Database) -> dict[str, JobRow]:
    """All jobs by id, newest first.

    Raises:
        OfLaterVersion: some are of a kind that this version does not know.
    """
    columns = (Job.id, Job.parent_id, Job.kind, Job.state, Job.finished_at, Job.parameters)
    with database.read() as session:
        if session.scalar(select(Job.id).where(~KNOWN_KIND).limit(1)) is not None:
            raise OfLaterVersion(
                "There are jobs of a kind that only a later version of Tenfold knows. Use that version."
            )
        return {row.id: JobRow(*row) for row in session.execute(select(*columns).order_by(Job.id.desc()))}


def read_models(database: Database) -> dict[str, Model]:
    """All models by id."""
    with database.read() as session:
        return {model.id: model for model in session.scalars(select(Model).order_by(Model.id))}


def has_rules(settings: Settings) -> bool:
    """Whether any setting limits how long, or how much, is kept. By default none does."""
    return bool(settings.keep_days or settings.keep_bytes or settings.keep_losing_models_days is not None)


def expired_jobs(jobs: Mapping[str, JobRow], volume: Volume, settings: Settings, now: float) -> Iterator[Garbage]:
    """Ended jobs that exceed the age or size kept for their kind.

    Trials go with their sweep only, and a job that an unfinished one needs stays.
    """
    needed = {job.parameters.get("classification") for job in jobs.values() if not job.state.final}
    remaining = dict(settings.keep_bytes)
    for job in jobs.values():
        if not job.state.final or job.parent_id is not None:
            continue
        age = now - (job.finished_at or now)
        trials = [other.id for other in jobs.values() if other.parent_id == job.id] if job.kind is JobKind.SWEEP else []
        size = sum(volume.storage.usage(volume.job(id))[0] for id in (job.id, *trials))
        reason = _too_old(job, age, settings) or _too_large(job, size, remaining)
        if reason and job.id not in needed and age >= settings.gc_safe_seconds:
            yield Garbage(Kind.JOB, job.id, reason, size, volume.job(job.id))


def losing_models(
    models: Mapping[str, Model],
    jobs: Mapping[str, JobRow],
    volume: Volume,
    settings: Settings,
    now: float,
    *,
    named: Container[str],
) -> Iterator[Garbage]:
    """The models of ended sweeps, except those that an alias names, and each sweep's best, which is not marked as a
    trial.

    Args:
        named: the ids of models that have an alias.
    """
    days = settings.keep_losing_models_days
    if days is None:
        return
    oldest = now - max(days * DAY_SECONDS, settings.gc_safe_seconds)
    unfinished = {job.id: job for job in jobs.values() if not job.state.final}
    in_use = {id for job in unfinished.values() for id in _models_of(job)}
    for model in models.values():
        training = jobs.get(model.id)
        sweep_runs = training is not None and training.parent_id in unfinished
        kept = sweep_runs or model.id in in_use or model.id in named
        if model.trial and model.created_at < oldest and not kept:
            path = volume.model(model.id)
            reason = f"lost its sweep more than {days:g} days ago"
            yield Garbage(Kind.MODEL, model.id, reason, volume.storage.usage(path)[0], path)


def leftovers(jobs: Mapping[str, JobRow], volume: Volume, older_than: float) -> Iterator[Garbage]:
    """Unfinished uploads, partial files and the work of ended jobs, unless something was written there since.

    Args:
        older_than: seconds since the epoch.
    """
    found = [*_uploads(volume), *_partial_files(jobs, volume), *_work(jobs, volume, older_than)]
    yield from (garbage for garbage in found if garbage.path and volume.storage.usage(garbage.path)[1] < older_than)


def orphans(
    jobs: Mapping[str, JobRow], models: Mapping[str, Model], volume: Volume, older_than: float
) -> Iterator[Garbage]:
    """Directories of jobs and models without a row, which may belong to another database."""
    unfinished = {job.id for job in jobs.values() if not job.state.final}
    for directory, known, what in (
        (volume.jobs, jobs.keys(), "job"),
        (volume.models, models.keys() | unfinished, "model"),
    ):
        for path in (directory / name for name in volume.storage.names(directory) if name not in known):
            size, changed_at = volume.storage.usage(path)
            if changed_at < older_than:
                yield Garbage(Kind.ORPHAN, _name(path, volume), f"no {what} has this id", size, path)


def missing(jobs: Mapping[str, JobRow], models: Mapping[str, Model], volume: Volume) -> Iterator[Garbage]:
    """Rows whose files are gone. There is nothing to remove."""
    for model_id in models:
        if volume.network(model_id) is None:
            yield Garbage(Kind.MISSING, model_id, "model.keras is missing: the model cannot classify")
    present = set(volume.storage.names(volume.jobs))
    for job in jobs.values():
        if job.state is JobState.SUCCEEDED and job.id not in present:
            yield Garbage(Kind.MISSING, job.id, f"the files of the {job.kind.value} are missing")
        elif not job.state.final and _lacks_input(job, volume):
            yield Garbage(Kind.MISSING, job.id, f"the input of the {job.kind.value} is missing: it will fail")


def _too_old(job: JobRow, age: float, settings: Settings) -> str | None:
    days = settings.keep_days.get(job.kind)
    too_old = days is not None and age > days * DAY_SECONDS
    return f"{job.kind.value} ended more than {days:g} days ago" if too_old else None


def _too_large(job: JobRow, size: int, remaining: dict[JobKind, int]) -> str | None:
    """Subtract the job from the bytes kept for its kind; called for the newest job first."""
    if job.kind not in remaining:
        return None
    remaining[job.kind] -= size
    return f"newer jobs use all bytes kept for kind {job.kind.value}" if remaining[job.kind] < 0 else None


def _models_of(job: JobRow) -> list[str]:
    named = {JobKind.CLASSIFICATION: "model", JobKind.COMPARISON: "models"}.get(job.kind, "")
    return [*job.parameters.get(named, ()), *filter(None, map(job.parameters.get, ("from_model", "shadow")))]


def _uploads(volume: Volume) -> Iterator[Garbage]:
    for path, name in volume.storage.unfinished(volume.uploads):
        if name.endswith(".part"):
            yield _garbage(Kind.UPLOAD, path, "the upload was not finished", volume)


def _partial_files(jobs: Mapping[str, JobRow], volume: Volume) -> Iterator[Garbage]:
    ended = [volume.job(job.id) for job in jobs.values() if job.state.final]
    folders = [volume.datasets, volume.models, volume.uploads, volume.jobs]
    for folder in [*folders, *ended, *(job / "review" for job in ended)]:
        for path, name in volume.storage.unfinished(folder):
            writer = jobs.get(name)
            if not name.endswith(".part") and (writer is None or writer.state.final):
                yield _garbage(Kind.PARTIAL_FILE, path, "its writer was killed", volume)


def _work(jobs: Mapping[str, JobRow], volume: Volume, older_than: float) -> Iterator[Garbage]:
    for job in jobs.values():
        if not job.state.final or (job.finished_at or 0) >= older_than:
            continue
        path = volume.work(job.id)
        size, changed_at = volume.storage.usage(path)
        if changed_at:
            retry = "" if job.state is JobState.SUCCEEDED else "; a retry starts from the beginning"
            yield Garbage(Kind.WORK, job.id, f"the job has {job.state.value}{retry}", size, path)


def _lacks_input(job: JobRow, volume: Volume) -> bool:
    if job.kind is JobKind.CLASSIFICATION and job.parameters.get("directory") is None:
        return volume.storage.find(volume.archive(job.id)) is None
    return job.kind in (JobKind.IMPORT, JobKind.MODEL_IMPORT) and volume.storage.find(volume.upload(job.id)) is None


def _garbage(kind: Kind, path: Path, reason: str, volume: Volume) -> Garbage:
    return Garbage(kind, _name(path, volume), reason, volume.storage.usage(path)[0], path)


def _name(path: Path, volume: Volume) -> str:
    return str(path.relative_to(volume.root))
