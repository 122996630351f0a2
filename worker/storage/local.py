"""Files on a local disk or on NFS, where a path is the same file for every process."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from tenfold.worker.storage import StoredFile
from tenfold.worker.storage.whole import atomic_write_directory

# Names of unfinished files and folders: `.name.` and a UUID's hex digits or what `tempfile` makes, or an upload's part.
UNFINISHED = re.compile(r"\.(?P<hidden>.+)\.([0-9a-f]{32}|[a-z0-9_]{8})|(?P<part>[^.]+\.part)")


class LocalStorage:
    """A `Storage` that adds nothing: the rename after writing (`whole`) has published the file."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def address(self) -> str:
        return str(self.root)

    def create(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)

    def why_away(self) -> str | None:
        return None if (self.root / "uploads").is_dir() else "the volume is missing"

    def names(self, directory: Path) -> Sequence[str]:
        try:
            return sorted(name for name in os.listdir(directory) if not name.startswith("."))
        except FileNotFoundError:
            return ()

    def files(self, directory: Path, *, below: bool = True) -> Sequence[StoredFile]:
        return list(_walk(directory, below))

    def find(self, path: Path) -> StoredFile | None:
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return StoredFile(path, status.st_size, status.st_mtime) if path.is_file() else None

    def open(self, path: Path) -> BinaryIO:
        return path.open("rb")

    def fetch(self, path: Path, *, may_change: bool = False) -> Path:
        return path

    def outline(self, directory: Path) -> Path:
        return directory

    def publish(self, *paths: Path, replace: bool = True) -> None:
        """Does nothing: all processes see these paths already."""

    def write_directory(
        self, path: Path, *, replace: bool = True, renaming: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> AbstractContextManager[Path]:
        return atomic_write_directory(path, replace=replace, renaming=renaming)

    @contextmanager
    def append(self, path: Path) -> Iterator[Path]:
        yield path

    def remove(self, path: Path) -> None:
        self.withdraw(path)()

    def withdraw(self, path: Path) -> Callable[[], None]:
        leaving = path.with_name(f".{path.name}.{uuid4().hex}")
        path.rename(leaving)
        return partial(_delete, leaving)

    def unfinished(self, directory: Path) -> Sequence[tuple[Path, str]]:
        found = [(path, UNFINISHED.fullmatch(path.name)) for path in sorted(directory.glob("*"))]
        return [(path, named["hidden"] or named["part"]) for path, named in found if named]

    def usage(self, path: Path) -> tuple[int, float]:
        statuses = list(_statuses(path))
        return sum(status.st_size for status in statuses), max((status.st_mtime for status in statuses), default=0.0)

    def at_work(self, directory: Path) -> AbstractContextManager[None]:
        return nullcontext()


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _walk(directory: Path, below: bool) -> Iterator[StoredFile]:
    """Files that disappear meanwhile are left out. Links are followed: a data set may be elsewhere."""
    try:
        entries = sorted((entry for entry in os.scandir(directory) if not entry.name.startswith(".")), key=_name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        try:
            if entry.is_dir():
                if below:
                    yield from _walk(Path(entry.path), below)
            elif entry.is_file():
                status = entry.stat()
                yield StoredFile(Path(entry.path), status.st_size, status.st_mtime)
        except FileNotFoundError:
            continue


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name


def _statuses(path: Path) -> Iterator[os.stat_result]:
    try:
        yield path.lstat()
        entries = list(os.scandir(path)) if path.is_dir() and not path.is_symlink() else []
    except OSError:
        return
    for entry in entries:
        yield from _statuses(Path(entry.path))
