"""The shared volume: where each file of a job, a model or a data set lies, and how a file gets there whole.

datasets/<name>/    the four IDX files, about.json preview.png source.json
inbox/…             what a person puts there to be classified; never written to
uploads/…
jobs/<id>/          input.zip (.tar, .tar.gz …) results.csv results.jsonl summary.json log.txt, or upload log.txt
                    review/queue.sqlite images/index.sqlite of a classification
models/<id>/        model.keras metrics.json history.csv summary.txt curves.png …
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

# Archives that a classification can read are kept under these.
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tar.bz2")


class Volume:
    """Paths under one root. Ids come from Tenfold, never from a person, so they are safe as directory names; so are
    the names of data sets once they are checked (`trainer.dataset_files.NAME`)."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.datasets = self.root / "datasets"
        self.uploads = self.root / "uploads"
        self.inbox = self.root / "inbox"

    def create(self) -> None:
        for directory in (self.datasets, self.uploads, self.inbox, self.root / "jobs", self.root / "models"):
            directory.mkdir(parents=True, exist_ok=True)

    def dataset(self, name: str) -> Path:
        return self.datasets / name

    def job(self, job_id: str) -> Path:
        return self.root / "jobs" / job_id

    def model(self, model_id: str) -> Path:
        return self.root / "models" / model_id

    def archive(self, job_id: str) -> Path:
        """The archive that a classification reads, of whichever kind it is."""
        paths = [self.archive_of_kind(job_id, suffix) for suffix in ARCHIVE_SUFFIXES]
        return next((path for path in paths if path.exists()), paths[0])

    def archive_of_kind(self, job_id: str, suffix: str) -> Path:
        return self.job(job_id) / f"input{suffix}"

    def inbox_directory(self, directory: str) -> Path | None:
        """Where a directory of the inbox really is; None where there is none, or where it leads out of the inbox."""
        path = (self.inbox / directory).resolve()
        return path if path.is_dir() and path.is_relative_to(self.inbox.resolve()) else None

    def upload(self, job_id: str) -> Path:
        """The file that an import reads, of whatever kind; gone when it has succeeded."""
        return self.job(job_id) / "upload"

    def log(self, job_id: str) -> Path:
        return self.job(job_id) / "log.txt"

    def work(self, job_id: str) -> Path:
        """Where a job keeps its checkpoint or its shards until it has succeeded."""
        return self.job(job_id) / "work"

    def review(self, job_id: str) -> Path:
        """Where a classification keeps what is to be reviewed (`review_queue`)."""
        return self.job(job_id) / "review"

    def images(self, job_id: str) -> Path:
        """Where a classification has the index of its images once somebody has looked through them (`image_index`)."""
        return self.job(job_id) / "images"

    def artefacts(self, job_id: str) -> dict[str, Path]:
        """What a person can fetch of a job, by name: its own files, then those of the model that it trained."""
        return list_files(self.job(job_id)) | self.model_files(job_id)

    def model_files(self, model_id: str) -> dict[str, Path]:
        """The files of a model by name; those in its folders as `tensorboard/train/events…`."""
        directory = self.model(model_id)
        nested = (path for path in sorted(directory.glob("*/**/*")) if path.is_file())
        return list_files(directory) | {str(path.relative_to(directory)): path for path in nested}

    def bytes_of_job(self, job_id: str) -> int:
        """What a job's files take, and those of the model that it trained."""
        directories = (self.job(job_id), self.model(job_id))
        return sum(path.stat().st_size for directory in directories for path in directory.rglob("*") if path.is_file())

    def delete_dataset(self, name: str) -> None:
        """Remove a data set; it is gone at once, whole.

        Raises:
            FileNotFoundError: there is none of this name.
        """
        leaving = self.datasets / f".{name}.{uuid4().hex}"
        self.dataset(name).rename(leaving)
        shutil.rmtree(leaving, ignore_errors=True)

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
def write_directory_whole(
    path: Path, *, replace: bool = True, renaming: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Iterator[Path]:
    """An empty directory to fill that appears at `path` only when the block ends well, and is on disk by then.

    Args:
        replace: whether to replace what is there.
        renaming: entered when all is on disk, for as long as the renaming takes.

    Raises:
        FileExistsError: there is something at `path`, and it is not to be replaced.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for written in (*temporary.rglob("*"), temporary):
            _sync(written)
        with renaming():
            if replace:
                shutil.rmtree(path, ignore_errors=True)
            _rename_unless_taken(temporary, path)
            sync_directory(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable, as `fsync` makes a file's content."""
    _sync(directory)


def _rename_unless_taken(directory: Path, path: Path) -> None:
    try:
        directory.rename(path)
    except OSError as error:
        # The system's answer to renaming a directory onto a full one, or onto a file.
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(errno.EEXIST, "is there already", str(path)) from error
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
