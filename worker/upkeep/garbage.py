"""What is found to be of no use any more, or to be missing, and where it lies."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    JOB = "expired job"
    MODEL = "losing model"
    UPLOAD = "unfinished upload"
    HALF_WRITTEN = "half-written file"
    WORK = "work of an ended job"
    ORPHAN = "files without a row"
    MISSING = "row without files"


@dataclass(frozen=True)
class Garbage:
    """One thing found. `name` is a job's or model's id, or a path on the volume; `path` is None where nothing is."""

    kind: Kind
    name: str
    reason: str
    bytes: int = 0
    path: Path | None = None


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a directory; what vanishes meanwhile counts nothing."""
    return sum(status.st_size for status in _statuses(path))


def changed_at(path: Path) -> float:
    """When anything in it was last written, in seconds since the epoch."""
    return max((status.st_mtime for status in _statuses(path)), default=0.0)


def _statuses(path: Path) -> Iterator[os.stat_result]:
    try:
        yield path.lstat()
        entries = list(os.scandir(path)) if path.is_dir() and not path.is_symlink() else []
    except OSError:
        return
    for entry in entries:
        yield from _statuses(Path(entry.path))
