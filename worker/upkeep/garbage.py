"""What is found to be of no use any more, or to be missing, and where it lies."""

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
