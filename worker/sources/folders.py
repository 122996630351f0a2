"""Reads the images of a directory in the inbox, sorted by name.

Opens regular files only, and follows no link out of the directory.
"""

import os
import stat
from array import array
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tenfold.files.kinds import START_BYTES
from tenfold.files.names import Kind
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources.source import NOT_A_FILE, Limits, Listing, Members, UnreadableMember, refuse_to_read
from tenfold.worker.sources.survey import Survey
from tenfold.worker.storage.whole import atomic_write

# Not allowed in file names.
END_OF_NAME = b"\0"

# Longer than any path that can be opened.
MAX_PATH = 2**13


class FolderMember(NamedTuple):
    """A file in the directory: its name for display, and its relative path as the system's bytes."""

    name: str
    path: bytes


class Folder:
    """A directory of images. Close it, or use it in a `with` block.

    `listing` writes a list of names, and positions are offsets in it, so that all shards agree on the images even if
    files are added later.

    Args:
        path: the directory.
        names: file with the list; written by `listing`, read by `members`.
    """

    def __init__(self, path: Path, names: Path, limits: Limits) -> None:
        self._root = path
        self._names = names
        self._limits = limits

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None: ...

    @cached_property
    def listing(self) -> Listing:
        """List the directory recursively; images are not opened.

        Raises:
            ArchiveError: the directory cannot be read, has no images, or exceeds the limits.
        """
        survey, position = Survey("directory", self._limits), 0
        with atomic_write(self._names) as file:
            for path in _walk(self._root, survey):
                _add(survey, self._root, position, path)
                position += file.write(path + END_OF_NAME)
        return survey.listing(self)

    def members(self, positions: "array[int]") -> Members:
        """The members at these positions: those of `listing.images`, or some of them."""
        return Members(self._member, positions)

    def read(self, member: FolderMember, max_bytes: int) -> bytes:
        """The bytes of one file.

        Raises:
            UnreadableMember: it is missing, not readable, not a regular file, outside the directory, or larger than
                `max_bytes`.
        """
        with _open_file(self._root, member.path) as file:
            refuse_to_read(member, os.fstat(file.fileno()).st_size, max_bytes)
            return file.read(max_bytes)

    def _member(self, position: int) -> FolderMember:
        try:
            with self._names.open("rb") as file:
                file.seek(position)
                path = file.read(MAX_PATH).partition(END_OF_NAME)[0]
        except OSError as error:
            raise ArchiveError(
                f"The list of the directory's files is missing ({error}). Submit the directory again."
            ) from error
        return FolderMember(_shown(path), path)


def count_folder(path: Path, limits: Limits) -> int:
    """Count the images in the directory, recursively.

    Raises:
        ArchiveError: the directory cannot be read, has no images, or exceeds the limits.
    """
    survey = Survey("directory", limits)
    for found in _walk(path, survey):
        _add(survey, path, 0, found)
    survey.refuse_without_images()
    return len(survey.positions)


def _add(survey: Survey, root: Path, position: int, path: bytes) -> None:
    name = _shown(path)
    if survey.add(position, name, 0) is Kind.UNKNOWN:
        survey.add_by_content(position, name, 0, _read_start(root, path))


def _read_start(root: Path, path: bytes) -> bytes:
    """The first bytes of a file, for detecting its format; empty if it cannot be read."""
    try:
        with _open_file(root, path) as file:
            return file.read(START_BYTES)
    except (UnreadableMember, OSError):
        return b""


def _open_file(root: Path, path: bytes) -> BinaryIO:
    """Open a regular file below the root.

    Raises:
        UnreadableMember: it is missing, not readable, not a regular file, or outside the directory.
    """
    inside = os.path.join(os.path.realpath(os.fsencode(root)), b"")
    real = os.path.realpath(os.path.join(os.fsencode(root), path))
    if not real.startswith(inside):
        raise UnreadableMember("is a link to outside the directory; put the image itself there", NOT_A_FILE)
    try:
        # O_NONBLOCK: opening a pipe would otherwise block until it has a writer.
        file = os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise UnreadableMember(f"cannot be read in the directory: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UnreadableMember("is a directory, device or pipe, not an image; put the image itself there", NOT_A_FILE)
    return file


def _walk(root: Path, survey: Survey) -> Iterator[bytes]:
    """Relative paths of all files, sorted directory by directory. Links to directories are not followed."""
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        files, directories = _list(root, below, survey)
        yield from (os.path.join(below, name) for name in sorted(files))
        waiting += (os.path.join(below, name) for name in sorted(directories, reverse=True))


def _list(root: Path, below: bytes, survey: Survey) -> tuple[list[bytes], list[bytes]]:
    """The names of the files and the directories in a directory."""
    files, directories = [], []
    try:
        with os.scandir(os.path.join(os.fsencode(root), below)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    survey.add_directory()
                    directories.append(entry.name)
                elif entry.is_symlink() and entry.is_dir():
                    survey.skip(Kind.LINK, _shown(os.path.join(below, entry.name)))
                else:
                    files.append(entry.name)
    except OSError as error:
        raise ArchiveError(
            f"The directory cannot be read ({error.strerror}: {_shown(below)[:200] or '.'}). "
            "Give Tenfold permission to read it."
        ) from error
    return files, directories


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "replace")
