"""The last lines of a job's log. Only the end of the file is read, so the length of the log does not matter."""

import os
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 48 * 1024
MAX_LINES = 200


@dataclass(frozen=True)
class LogTail:
    """The last lines, oldest first; `cut` if there are more before them."""

    text: str
    cut: bool


def log_tail(path: Path, *, lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> LogTail | None:
    """The last complete lines of a log, or None if there is no log yet."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            begin = max(0, size - max_bytes)
            file.seek(begin)
            read = file.read(max_bytes)
    except FileNotFoundError:
        return None
    found = read.decode("utf-8", "replace").splitlines()
    if begin:
        found = found[1:]
    return LogTail("\n".join(found[-lines:]), cut=bool(begin) or len(found) > lines)
