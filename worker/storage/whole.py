"""Writes files and directories so that they appear complete: under a temporary name, synced, then renamed."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


def list_files(directory: Path) -> dict[str, Path]:
    """The finished files directly in a directory, by name, sorted. Empty when there is no such directory."""
    if not directory.is_dir():
        return {}
    return {path.name: path for path in sorted(directory.iterdir()) if path.is_file() and not path.name.startswith(".")}


@contextmanager
def atomic_write(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write. It appears at `path`, durable, only when the block ends without an error.

    Args:
        private: whether only its owner may open it (mode 0600).
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    mode = 0o600 if private else 0o666
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_write_directory(
    path: Path, *, replace: bool = True, renaming: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Iterator[Path]:
    """An empty directory to fill. It appears at `path`, durable, only when the block ends without an error.

    Args:
        replace: whether to replace a directory that exists.
        renaming: entered when all files are durable, while the directory is renamed.

    Raises:
        FileExistsError: something is at `path`, and `replace` is false.
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


@contextmanager
def synced_beside() -> Iterator[Callable[[Path], None]]:
    """A function that syncs a finished file in a thread. When the block ends, all of these files are durable.

    For large files in a directory that is not visible yet: their names are not synced.
    """
    with ThreadPoolExecutor(1, "syncing") as thread:
        begun: list[Future[None]] = []
        yield lambda path: begun.append(thread.submit(_sync, path))
        for syncing in begun:
            syncing.result()


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable, as `fsync` makes a file's content."""
    _sync(directory)


def _rename_unless_taken(directory: Path, path: Path) -> None:
    try:
        directory.rename(path)
    except OSError as error:
        # The system's answer to renaming a directory onto a full one, or onto a file.
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(errno.EEXIST, "already exists", str(path)) from error
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
