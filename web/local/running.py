"""Finds and stops the `tenfold up` that runs on a directory, by the file there that it has locked."""

import fcntl
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

# In the volume: locked while Tenfold runs on it, with its process id and address.
LOCK = "up.json"

# Its four processes have fifteen seconds each to stop, one after the other.
MAX_STOP_SECONDS = 75


class StopError(Exception):
    """Tenfold cannot be stopped: the message says why and what to do."""


@dataclass(frozen=True)
class Running:
    """A running Tenfold. Both addresses are empty until its web accepts jobs."""

    pid: int
    url: str = ""
    redis: str = ""
    token: str | None = None


def find_running(data: Path) -> Running | None:
    """The Tenfold that runs on this directory, or None.

    Raises:
        StopError: it belongs to another user.
    """
    try:
        lock = (data / LOCK).open()
    except FileNotFoundError:
        return None
    except PermissionError:
        raise StopError(f"Tenfold on {data} was started by another user; only that user can stop it.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return read_lock(lock)
    return None


def stop_running(data: Path) -> Running | None:
    """Stop the Tenfold that runs on this directory, and wait until it has ended. None if none runs.

    Raises:
        StopError: it belongs to another user, or does not end.
    """
    running = find_running(data)
    if running is None:
        return None
    try:
        os.kill(running.pid, signal.SIGTERM)
    except PermissionError:
        raise StopError(f"Tenfold on {data} was started by another user; only that user can stop it.") from None
    except ProcessLookupError:
        return running
    deadline = time.monotonic() + MAX_STOP_SECONDS
    while find_running(data) == running:
        if time.monotonic() > deadline:
            raise StopError(
                f"Tenfold on {data} (process {running.pid}) has not stopped within {MAX_STOP_SECONDS} seconds. "
                f"Stop it with `kill -9 {running.pid}`; jobs continue at the next start."
            )
        time.sleep(0.1)
    return running


def write_lock(lock: IO[str], running: Running) -> None:
    lock.seek(0)
    lock.truncate()
    json.dump(asdict(running), lock)
    lock.flush()


def read_lock(lock: IO[str]) -> Running:
    lock.seek(0)
    return Running(**json.loads(lock.read() or '{"pid": 0}'))


def open_private(path: Path) -> IO[str]:
    """A private file (mode 0600) to read and append to, created if missing."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "a+")
    os.fchmod(file.fileno(), 0o600)
    return file
