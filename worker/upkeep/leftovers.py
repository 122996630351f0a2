"""What killed writers and ended jobs left on the volume, and where rows and files do not match."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from worker.records import Model
from worker.states import JobKind, JobState
from worker.upkeep.garbage import Garbage, Kind
from worker.upkeep.rows import JobRow
from worker.volume import Volume


def leftovers(jobs: Mapping[str, JobRow], volume: Volume, older_than: float) -> Iterator[Garbage]:
    """Unfinished uploads, half-written files, and the work of ended jobs: what nothing written since this time is."""
    found = [*_uploads(volume), *_half_written(jobs, volume), *_work(jobs, volume, older_than)]
    yield from (garbage for garbage in found if garbage.path and volume.storage.usage(garbage.path)[1] < older_than)


def orphans(
    jobs: Mapping[str, JobRow], models: Mapping[str, Model], volume: Volume, older_than: float
) -> Iterator[Garbage]:
    """Directories of jobs and models that no row knows. A database of before, or another one, may know them."""
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
    """Rows whose files are gone. Nothing can be removed; the row says what was lost."""
    for model_id in models:
        if volume.storage.find(volume.model(model_id) / "model.keras") is None:
            yield Garbage(Kind.MISSING, model_id, "the model's model.keras is gone: it cannot classify")
    there = set(volume.storage.names(volume.jobs))
    for job in jobs.values():
        if job.state is JobState.SUCCEEDED and job.id not in there:
            yield Garbage(Kind.MISSING, job.id, f"the files of the {job.kind.value} are gone")
        elif not job.state.final and _lacks_input(job, volume):
            yield Garbage(Kind.MISSING, job.id, f"what the {job.kind.value} is to read is gone: it will fail")


def _uploads(volume: Volume) -> Iterator[Garbage]:
    for path, name in volume.storage.unfinished(volume.uploads):
        if name.endswith(".part"):
            yield _garbage(Kind.UPLOAD, path, "its upload never ended", volume)


def _half_written(jobs: Mapping[str, JobRow], volume: Volume) -> Iterator[Garbage]:
    ended = [volume.job(job.id) for job in jobs.values() if job.state.final]
    folders = [volume.datasets, volume.models, volume.uploads, volume.jobs]
    for folder in [*folders, *ended, *(job / "review" for job in ended)]:
        for path, name in volume.storage.unfinished(folder):
            writer = jobs.get(name)
            if not name.endswith(".part") and (writer is None or writer.state.final):
                yield _garbage(Kind.HALF_WRITTEN, path, "its writer was killed", volume)


def _work(jobs: Mapping[str, JobRow], volume: Volume, older_than: float) -> Iterator[Garbage]:
    for job in jobs.values():
        if not job.state.final or (job.finished_at or 0) >= older_than:
            continue
        path = volume.work(job.id)
        size, changed_at = volume.storage.usage(path)
        if changed_at:
            again = "" if job.state is JobState.SUCCEEDED else "; a retry begins from the start"
            yield Garbage(Kind.WORK, job.id, f"the job has {job.state.value}{again}", size, path)


def _lacks_input(job: JobRow, volume: Volume) -> bool:
    """A training needs none; its directory is made when a worker takes it."""
    if job.kind is JobKind.CLASSIFICATION and job.parameters.get("directory") is None:
        return volume.storage.find(volume.archive(job.id)) is None
    return job.kind is JobKind.IMPORT and volume.storage.find(volume.upload(job.id)) is None


def _garbage(kind: Kind, path: Path, reason: str, volume: Volume) -> Garbage:
    return Garbage(kind, _name(path, volume), reason, volume.storage.usage(path)[0], path)


def _name(path: Path, volume: Volume) -> str:
    return str(path.relative_to(volume.root))
