"""Reads the images of a directory that is on the volume already, in the order of their names.

Links that lead out of the inbox are never followed, and nothing but regular files is opened.
"""

import os
import stat
from array import array
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple

from trainer.file_kinds import START_BYTES
from worker.errors import ArchiveError
from worker.sources.limits import Limits
from worker.sources.names import Kind
from worker.sources.source import NO_FILE, Listing, Members, UnreadableMember, refuse_to_read
from worker.sources.survey import Survey
from worker.storage.whole import write_whole

# No name in a list of names has it.
END_OF_NAME = b"\0"

# Longer than any path that the system opens.
LONGEST_PATH = 2**13


class FolderMember(NamedTuple):
    """A file below the directory: its name for people, and its path from there in the system's bytes."""

    name: str
    path: bytes


class Folder:
    """A directory of images. Close it, or use it in a `with` block.

    `listing` writes the names down, and positions are places in that list, so that shards agree on which image is which
    even where files are added meanwhile.

    Args:
        path: the directory.
        names: the list of names; written by `listing`, read for `members`.
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
        """What the directory holds, and its directories; no image is opened.

        Raises:
            ArchiveError: the directory cannot be read, there is no image, or limits are passed.
        """
        survey, position = Survey("directory", self._limits), 0
        with write_whole(self._names) as file:
            for path in _walk(self._root, survey):
                _meet(survey, self._root, position, path)
                position += file.write(path + END_OF_NAME)
        return survey.listing(self)

    def members(self, positions: "array[int]") -> Members:
        """The members whose names begin at these positions of the list, those of `listing.images` or some of them."""
        return Members(self._member, positions)

    def read(self, member: FolderMember, max_bytes: int) -> bytes:
        """The bytes of one file.

        Raises:
            UnreadableMember: it is gone, may not be read, is no regular file, leads out of the directory, or is larger
                than `max_bytes`.
        """
        with _open_file(self._root, member.path) as file:
            refuse_to_read(member, os.fstat(file.fileno()).st_size, max_bytes)
            return file.read(max_bytes)

    def _member(self, position: int) -> FolderMember:
        try:
            with self._names.open("rb") as file:
                file.seek(position)
                path = file.read(LONGEST_PATH).partition(END_OF_NAME)[0]
        except OSError as error:
            raise ArchiveError(f"The list of the directory's files is gone ({error}). Submit it anew.") from error
        return FolderMember(_shown(path), path)


def count_folder(path: Path, limits: Limits) -> int:
    """How many images are in the directory and the directories in it.

    Raises:
        ArchiveError: the directory cannot be read, there is no image, or limits are passed.
    """
    survey = Survey("directory", limits)
    for found in _walk(path, survey):
        _meet(survey, path, 0, found)
    survey.refuse_without_images()
    return len(survey.positions)


def _meet(survey: Survey, root: Path, position: int, path: bytes) -> None:
    name = _shown(path)
    if survey.meet(position, name, 0) is Kind.UNKNOWN:
        survey.meet_content(position, name, 0, _read_start(root, path))


def _read_start(root: Path, path: bytes) -> bytes:
    """The first bytes of a file, by which its kind is told; none where it cannot be read."""
    try:
        with _open_file(root, path) as file:
            return file.read(START_BYTES)
    except (UnreadableMember, OSError):
        return b""


def _open_file(root: Path, path: bytes) -> BinaryIO:
    """Open a regular file below the root.

    Raises:
        UnreadableMember: it is gone, may not be read, is no regular file, or leads out of the directory.
    """
    inside = os.path.join(os.path.realpath(os.fsencode(root)), b"")
    real = os.path.realpath(os.path.join(os.fsencode(root), path))
    if not real.startswith(inside):
        raise UnreadableMember("is a link that leads out of the directory; put the image itself there", NO_FILE)
    try:
        # Without waiting: opening a pipe would otherwise take until somebody writes to it.
        file = os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise UnreadableMember(f"cannot be read in the directory: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UnreadableMember("is a directory, a device or a pipe, no image; put the image itself there", NO_FILE)
    return file


def _walk(root: Path, survey: Survey) -> Iterator[bytes]:
    """Paths of all files relative to the root, sorted directory by directory. Links to directories are not followed."""
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        files, directories = _list(root, below, survey)
        yield from (os.path.join(below, name) for name in sorted(files))
        waiting += (os.path.join(below, name) for name in sorted(directories, reverse=True))


def _list(root: Path, below: bytes, survey: Survey) -> tuple[list[bytes], list[bytes]]:
    """The names of the files and of the directories in one directory below the root."""
    files, directories = [], []
    try:
        with os.scandir(os.path.join(os.fsencode(root), below)) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    survey.meet_directory()
                    directories.append(entry.name)
                elif entry.is_symlink() and entry.is_dir():
                    survey.skip(Kind.LINK, _shown(os.path.join(below, entry.name)))
                else:
                    files.append(entry.name)
    except OSError as error:
        raise ArchiveError(
            f"The directory cannot be read ({error.strerror}: {_shown(below)[:200] or '.'}). "
            "Make it readable for Tenfold."
        ) from error
    return files, directories


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "replace")
