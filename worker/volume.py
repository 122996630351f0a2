"""The shared volume: where each file of a job, a model or a data set lies, and how a file gets there whole.

datasets/<name>/…   uploads/…
jobs/<id>/          input.zip results.csv results.jsonl summary.json log.txt
models/<id>/        model.keras metrics.json history.csv summary.txt curves.png …
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


class Volume:
    """Paths under one root. Ids come from Tenfold, never from a person, so they are safe as directory names."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.datasets = self.root / "datasets"
        self.uploads = self.root / "uploads"

    def create(self) -> None:
        for directory in (self.datasets, self.uploads, self.root / "jobs", self.root / "models"):
            directory.mkdir(parents=True, exist_ok=True)

    def job(self, job_id: str) -> Path:
        return self.root / "jobs" / job_id

    def model(self, model_id: str) -> Path:
        return self.root / "models" / model_id

    def archive(self, job_id: str) -> Path:
        return self.job(job_id) / "input.zip"

    def log(self, job_id: str) -> Path:
        return self.job(job_id) / "log.txt"

    def work(self, job_id: str) -> Path:
        """Where a job keeps its checkpoint or its shards until it has succeeded."""
        return self.job(job_id) / "work"

    def artefacts(self, job_id: str) -> dict[str, Path]:
        """What a person can fetch of a job, by name: its own files, then those of the model that it trained."""
        return list_files(self.job(job_id)) | list_files(self.model(job_id))

    def delete_job(self, job_id: str) -> None:
        shutil.rmtree(self.job(job_id), ignore_errors=True)

    def delete_model(self, model_id: str) -> None:
        shutil.rmtree(self.model(model_id), ignore_errors=True)


def list_files(directory: Path) -> dict[str, Path]:
    """The finished files directly in a directory, by name, sorted. Empty when there is no such directory."""
    if not directory.is_dir():
        return {}
    return {path.name: path for path in sorted(directory.iterdir()) if path.is_file() and not path.name.startswith(".")}


@contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write that appears at `path` only when the block ends well, and is on disk by then."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def write_directory_whole(path: Path) -> Iterator[Path]:
    """An empty directory to fill that appears at `path` only when the block ends well, replacing what was there."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
        sync_directory(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable, as `fsync` makes a file's content."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
