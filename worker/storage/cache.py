"""This host's copies of a bucket's objects: which version each copy is, and removing old ones.

Any number of processes share it. Copies are removed by entry: all files of a job, a model or a data set.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

# An entry used within this time is not removed: a process may be about to open what it fetched.
KEPT_SECONDS = 600

# Minimum time between two removals.
TRIM_SECONDS = 60

NOTES = ".notes"
LOCKS = ".locks"

FOLDERS = ("jobs", "models", "datasets")


class Cache:
    """Copies below `root`.

    Args:
        most_bytes: if the copies take more, the least recently used entries are removed.
    """

    def __init__(self, root: Path, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._most_bytes = most_bytes
        self._clock = clock
        self._trimmed_at = clock()

    def note(self, path: Path, tag: str) -> None:
        """Record the tag of the file or directory at this path."""
        note = self._note(path)
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary = note.with_name(f".{note.name}.{uuid4().hex}")
        temporary.write_text(f"{_state(path)} {tag}")
        temporary.replace(note)

    def known(self, path: Path) -> str | None:
        """The recorded tag; None if there is none, or if the file has changed since."""
        try:
            size, written, tag = self._note(path).read_text().split(" ", 2)
            return tag if f"{size} {written}" == _state(path) else None
        except FileNotFoundError:
            return None

    def drop(self, path: Path) -> None:
        """Remove the copy at this path, and its recorded tag."""
        for copy in (self._note(path), self._root / NOTES / path.relative_to(self._root), path):
            if copy.is_dir():
                leaving = copy.with_name(f".{copy.name}.{uuid4().hex}")
                copy.rename(leaving)
                shutil.rmtree(leaving, ignore_errors=True)
            else:
                copy.unlink(missing_ok=True)

    @contextmanager
    def fetching(self, path: Path) -> Iterator[None]:
        """Lets one process at a time fetch to an entry. The entry counts as used."""
        with self._locked(path, "fetch", fcntl.LOCK_EX), self.pinned(path):
            yield

    @contextmanager
    def pinned(self, path: Path) -> Iterator[None]:
        """Keeps the entry while the block runs."""
        with self._locked(path, "use", fcntl.LOCK_SH) as descriptor:
            os.utime(descriptor)
            yield
            os.utime(descriptor)

    def trim(self) -> None:
        """Remove entries until the rest fits; at most once in `TRIM_SECONDS`."""
        if self._clock() - self._trimmed_at < TRIM_SECONDS:
            return
        self._trimmed_at = self._clock()
        entries = [entry for folder in FOLDERS for entry in (self._root / folder).glob("[!.]*") if entry.is_dir()]
        sizes = {entry: _bytes(entry) for entry in entries}
        too_many = sum(sizes.values()) - self._most_bytes
        for entry in sorted(entries, key=self._used_at):
            if too_many <= 0 or self._used_at(entry) > self._clock() - KEPT_SECONDS:
                return
            if self._remove(entry):
                too_many -= sizes[entry]

    def _remove(self, entry: Path) -> bool:
        try:
            with self._locked(entry, "use", fcntl.LOCK_EX | fcntl.LOCK_NB):
                if self._used_at(entry) > self._clock() - KEPT_SECONDS:
                    return False
                self.drop(entry)
                self._lock(entry, "use").unlink()
        except BlockingIOError:
            return False
        return True

    def _used_at(self, entry: Path) -> float:
        try:
            return self._lock(entry, "use").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    @contextmanager
    def _locked(self, path: Path, name: str, how: int) -> Iterator[int]:
        lock = self._lock(path, name)
        lock.parent.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, how)
                if _is_still(lock, descriptor):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _lock(self, path: Path, name: str) -> Path:
        entry = path.relative_to(self._root).parts[:2]
        return self._root / LOCKS / f"{'-'.join(entry)}.{name}"

    def _note(self, path: Path) -> Path:
        inside = path.relative_to(self._root)
        return self._root / NOTES / inside.with_name(f"{inside.name}.note")


def _state(path: Path) -> str:
    status = path.stat()
    return "- -" if path.is_dir() else f"{status.st_size} {status.st_mtime_ns}"


def _is_still(lock: Path, descriptor: int) -> bool:
    """Whether the lock file was not removed between opening and locking it."""
    try:
        return os.path.samestat(lock.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _bytes(entry: Path) -> int:
    """The bytes that it takes on disk, which for an outline's sparse files are few."""
    found = 0
    for path in entry.rglob("*"):
        try:
            found += path.lstat().st_blocks * 512
        except FileNotFoundError:
            continue
    return found
