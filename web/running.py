"""Which `tenfold up` runs on a directory: it holds a lock on a file there in which it wrote itself down."""

import fcntl
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

# In the volume: locked for as long as a stack runs on it, and says which.
LOCK = "up.json"

# A stack gives each of its four processes fifteen seconds, one after the other.
MAX_STOP_SECONDS = 75


class StopError(Exception):
    """A stack cannot be stopped: says why and what to do."""


@dataclass(frozen=True)
class Running:
    """A stack that runs, as it wrote itself down. Both addresses are empty until its web takes jobs."""

    pid: int
    url: str = ""
    redis: str = ""
    token: str | None = None


def find_running(data: Path) -> Running | None:
    """The stack that runs on this directory; None where none does.

    Raises:
        StopError: it belongs to another user.
    """
    try:
        lock = (data / LOCK).open()
    except FileNotFoundError:
        return None
    except PermissionError:
        raise StopError(f"Tenfold on {data} belongs to another user, who can stop it.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return read_lock(lock)
    return None


def stop_running(data: Path) -> Running | None:
    """Stop the stack that runs on this directory, in order; returns when it has ended. None where none runs.

    Raises:
        StopError: it belongs to another user, or does not end.
    """
    running = find_running(data)
    if running is None:
        return None
    try:
        os.kill(running.pid, signal.SIGTERM)
    except PermissionError:
        raise StopError(f"Tenfold on {data} belongs to another user, who can stop it.") from None
    except ProcessLookupError:
        return running
    deadline = time.monotonic() + MAX_STOP_SECONDS
    while find_running(data) == running:
        if time.monotonic() > deadline:
            raise StopError(
                f"Tenfold on {data} (process {running.pid}) was told to stop and has not ended in {MAX_STOP_SECONDS} "
                f"seconds. Stop it with `kill -9 {running.pid}`; jobs go on at the next start."
            )
        time.sleep(0.1)
    return running


def write_down(lock: IO[str], running: Running) -> None:
    lock.seek(0)
    lock.truncate()
    json.dump(asdict(running), lock)
    lock.flush()


def read_lock(lock: IO[str]) -> Running:
    lock.seek(0)
    return Running(**json.loads(lock.read() or '{"pid": 0}'))


def open_private(path: Path) -> IO[str]:
    """A file to read and append to, which nobody but this user may open (mode 0600), made if missing."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "a+")
    os.fchmod(file.fileno(), 0o600)
    return file
