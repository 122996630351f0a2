"""What killed writers and ended jobs left on the volume, and where rows and files do not match."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from worker.records import Model
from worker.states import JobKind, JobState
from worker.upkeep.garbage import Garbage, Kind, changed_at, size_of
from worker.upkeep.rows import JobRow
from worker.volume import Volume

# How files and folders are named until they are whole: `.name.` and a uuid's hex digits, or what `tempfile` makes.
TEMPORARY = re.compile(r"\.(?P<name>.+)\.([0-9a-f]{32}|[a-z0-9_]{8})")


def leftovers(jobs: Mapping[str, JobRow], volume: Volume, older_than: float) -> Iterator[Garbage]:
    """Unfinished uploads, half-written files, and the work of ended jobs: what nothing written since this time is."""
    found = [*_uploads(volume), *_half_written(jobs, volume), *_work(jobs, volume, older_than)]
    yield from (garbage for garbage in found if garbage.path and changed_at(garbage.path) < older_than)


def orphans(
    jobs: Mapping[str, JobRow], models: Mapping[str, Model], volume: Volume, older_than: float
) -> Iterator[Garbage]:
    """Directories of jobs and models that no row knows. A database of before, or another one, may know them."""
    for path in _entries(volume.root / "jobs"):
        if path.name not in jobs and changed_at(path) < older_than:
            yield Garbage(Kind.ORPHAN, _name(path, volume), "no job has this id", size_of(path), path)
    for path in _entries(volume.root / "models"):
        training = jobs.get(path.name)
        unfinished = training is not None and not training.state.final
        if path.name not in models and not unfinished and changed_at(path) < older_than:
            yield Garbage(Kind.ORPHAN, _name(path, volume), "no model has this id", size_of(path), path)


def missing(jobs: Mapping[str, JobRow], models: Mapping[str, Model], volume: Volume) -> Iterator[Garbage]:
    """Rows whose files are gone. Nothing can be removed; the row says what was lost."""
    for model_id in models:
        if not (volume.model(model_id) / "model.keras").exists():
            yield Garbage(Kind.MISSING, model_id, "the model's model.keras is gone: it cannot classify")
    for job in jobs.values():
        if job.state is JobState.SUCCEEDED and not volume.job(job.id).is_dir():
            yield Garbage(Kind.MISSING, job.id, f"the files of the {job.kind.value} are gone")
        elif not job.state.final and _lacks_input(job, volume):
            yield Garbage(Kind.MISSING, job.id, f"what the {job.kind.value} is to read is gone: it will fail")


def _uploads(volume: Volume) -> Iterator[Garbage]:
    for path in sorted(volume.uploads.glob("*.part")):
        yield Garbage(Kind.UPLOAD, _name(path, volume), "its upload never ended", size_of(path), path)


def _half_written(jobs: Mapping[str, JobRow], volume: Volume) -> Iterator[Garbage]:
    folders = [volume.datasets, volume.root / "models", volume.uploads]
    ended = [volume.job(job.id) for job in jobs.values() if job.state.final]
    for folder in [*folders, *ended, *(job / "review" for job in ended)]:
        for path in sorted(folder.glob(".*")):
            named = TEMPORARY.fullmatch(path.name)
            writer = jobs.get(named["name"]) if named else None
            if named and (writer is None or writer.state.final):
                yield Garbage(Kind.HALF_WRITTEN, _name(path, volume), "its writer was killed", size_of(path), path)


def _work(jobs: Mapping[str, JobRow], volume: Volume, older_than: float) -> Iterator[Garbage]:
    for job in jobs.values():
        path = volume.work(job.id)
        if job.state.final and (job.finished_at or 0) < older_than and path.is_dir():
            again = "" if job.state is JobState.SUCCEEDED else "; a retry begins from the start"
            yield Garbage(Kind.WORK, job.id, f"the job has {job.state.value}{again}", size_of(path), path)


def _entries(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("[!.]*") if path.is_dir())


def _lacks_input(job: JobRow, volume: Volume) -> bool:
    if job.kind is JobKind.CLASSIFICATION and job.parameters.get("directory") is None:
        return not volume.archive(job.id).exists()
    return not volume.job(job.id).is_dir()


def _name(path: Path, volume: Volume) -> str:
    return str(path.relative_to(volume.root))
