"""The end of a job's log, read from the end: a log of any length costs the same."""

import os
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 48 * 1024
MOST_LINES = 200


@dataclass(frozen=True)
class LogTail:
    """The last lines, oldest first; `cut` where there are more before them."""

    text: str
    cut: bool


def log_tail(path: Path, *, lines: int = MOST_LINES, most_bytes: int = MOST_BYTES) -> LogTail | None:
    """The last whole lines of a log, or None where there is none yet."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            begin = max(0, size - most_bytes)
            file.seek(begin)
            read = file.read(most_bytes)
    except FileNotFoundError:
        return None
    found = read.decode("utf-8", "replace").splitlines()
    if begin:
        found = found[1:]
    return LogTail("\n".join(found[-lines:]), cut=bool(begin) or len(found) > lines)
