"""What lies in an uploaded zip, and in a gzip."""

import gzip
import io
import zipfile
from pathlib import PurePosixPath
from typing import IO, cast

from trainer.errors import DatasetInvalid

Members = dict[PurePosixPath, zipfile.ZipInfo]

# The most that a zip may say of its members: `zipfile` reads it all at once, and makes ten times as much of it. A
# million images with names of 80 letters take this much.
MAX_DIRECTORY_BYTES = 128 * 2**20


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """An uploaded zip.

    Raises:
        DatasetInvalid: it holds too many files.
        zipfile.BadZipFile: it is none, or damaged.
    """
    bounded = _Bounded(file)
    archive = zipfile.ZipFile(cast(IO[bytes], bounded))
    bounded.most_bytes = None
    return archive


def members_of(archive: zipfile.ZipFile) -> Members:
    """The files in a zip, without those that a file manager added."""
    members = {_path(member): member for member in archive.infolist() if not member.is_dir()}
    return {path: member for path, member in members.items() if not _is_hidden(path)}


def unzipped(file: IO[bytes]) -> "io.BufferedReader[io.RawIOBase] | gzip.GzipFile":
    """The file's content, gzipped or not."""
    stream = io.BufferedReader(cast(io.RawIOBase, file))
    return gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream


class _Bounded:
    """A file of which no one reads much at a time, as long as `most_bytes` is set."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.most_bytes: int | None = MAX_DIRECTORY_BYTES
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if self.most_bytes is not None and size > self.most_bytes:
            raise DatasetInvalid("The zip holds more files than can be read: its directory alone takes too much.")
        return self._file.read(size)


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))


def _is_hidden(path: PurePosixPath) -> bool:
    return path.name.startswith(".") or "__MACOSX" in path.parts
