"""Opens uploaded zip, tar and 7-Zip archives, with limits on their number of files and their unpacked size."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, cast

from tenfold.files.kinds import START_BYTES, FileKind, kind_of_file
from tenfold.files.system_files import is_system_path
from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.found import SYSTEM, Check, Skipped
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.files.unpacking import tar_of_7z, unpacked
from tenfold.trainer.files.zip_names import NAME_IS_UTF8, decode_zip_name

# The methods that zipfile supports, and the names of others (PKWARE APPNOTE.TXT, 4.4.5).
ZIP_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
OTHER_ZIP_METHODS = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
ENCRYPTED, AES = 0x1, 99

LINKS = "links and devices"

# A tar has extra headers for what does not fit into the usual one, mostly long names.
MAX_TAR_HEADER_BYTES = 2**20


class Member(NamedTuple):
    """A file in an archive: its name, its unpacked size in bytes, and what the archive opens it by."""

    name: str
    size: int
    handle: Any


class Archive:
    """The files of an archive, without hidden and system files.

    Args:
        what: the archive's type, for messages.
        members: all files.
        open_member: opens a file by its handle.
        skipped: counts the skipped files, here and in readers.
        beside: the folder for temporary files; default: the system's.
    """

    def __init__(
        self,
        what: str,
        members: Iterable[Member],
        open_member: Callable[[Any], IO[bytes]],
        skipped: Skipped,
        beside: Path | None = None,
    ) -> None:
        self.what = what
        self.beside = beside
        self.skipped = skipped
        self._open = open_member
        self.members: dict[PurePosixPath, Member] = {}
        for member in members:
            if is_system_path(member.name):
                skipped.add(SYSTEM, member.name)
                continue
            path = PurePosixPath(member.name.replace("\\", "/"))
            if ".." in path.parts:
                skipped.add("files whose names lead out of the archive", member.name)
                continue
            if path in self.members:
                skipped.add("files that a later one of the same name replaces", member.name)
            self.members[path] = member

    def open(self, path: PurePosixPath) -> IO[bytes]:
        """Open a file for sequential reading; raises the errors of the archive's library."""
        return self._open(self.members[path].handle)

    def name(self, path: PurePosixPath) -> str:
        return self.members[path].name

    def start(self, path: PurePosixPath) -> bytes:
        """The first bytes of a file, which tell its type; fewer or none if it can't be read."""
        try:
            with self.open(path) as file:
                return file.read(START_BYTES)
        except Exception:  # reported when the file is read
            return b""

    def kind(self, path: PurePosixPath) -> FileKind | None:
        return kind_of_file(self.start(path))


@contextmanager
def open_zip(file: IO[bytes], folder: Path | None = None) -> Iterator[Archive]:
    """Open an uploaded zip. `folder` is for temporary files.

    Raises:
        DatasetInvalid: it contains too many files.
        zipfile.BadZipFile: it is damaged or not a zip.
    """
    bounded = _Bounded(file, refusals.MAX_DIRECTORY_BYTES, "The zip contains too many files")
    with zipfile.ZipFile(cast(IO[bytes], bounded)) as archive:
        bounded.max_bytes = None
        members = (Member(_zip_name(info), info.file_size, info) for info in archive.infolist() if not info.is_dir())

        def open_member(info: zipfile.ZipInfo) -> IO[bytes]:
            if info.flag_bits & ENCRYPTED or info.compress_type == AES:
                raise NotImplementedError("it is encrypted; pack the files without a password")
            if info.compress_type not in ZIP_METHODS:
                method = OTHER_ZIP_METHODS.get(info.compress_type, f"method {info.compress_type}")
                raise NotImplementedError(
                    f"it uses {method} compression, which isn't supported; pack the zip with Deflate"
                )
            return archive.open(info)

        yield Archive("zip", members, open_member, Skipped(), folder)


@contextmanager
def open_tar(file: IO[bytes], folder: Path | None = None) -> Iterator[Archive]:
    """Open an uncompressed tar.

    Raises:
        DatasetInvalid: it contains too many files.
        tarfile.TarError: it is damaged or not a tar.
    """
    skipped = Skipped()
    bounded = _Bounded(file, MAX_TAR_HEADER_BYTES, "The tar has an oversized header")

    def members() -> Iterator[Member]:
        count = 0
        with tarfile.open(fileobj=cast(IO[bytes], bounded), mode="r:") as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps them all
                count += 1
                if count > refusals.MAX_FILES:
                    raise DatasetInvalid(f"The tar contains more than {refusals.MAX_FILES:,} files. Upload fewer.")
                if info.isreg() and info.sparse is None:
                    yield Member(_tar_name(info.name), info.size, (info.offset_data, info.size))
                elif not info.isdir():
                    skipped.add(LINKS, _tar_name(info.name))

    yield Archive("tar", members(), lambda handle: slice_of(file, *handle), skipped, folder)


@contextmanager
def open_7z(path: Path, check: Check) -> Iterator[Archive]:
    """Open an uploaded 7-Zip archive, temporarily unpacked in its folder.

    Raises:
        UnpackingFailed: it is damaged, encrypted or uses an unsupported method.
        DatasetInvalid: its unpacked size exceeds the limit.
    """

    def keep_to_limits(written: int) -> None:
        check()
        _refuse_bomb(written, path, "7-Zip archive")

    with TemporaryFile(dir=path.parent) as target:
        tar_of_7z(path, target, keep_to_limits)
        target.seek(0)
        with open_tar(target, path.parent) as archive:
            archive.what = "7-Zip archive"
            yield archive


@contextmanager
def open_unpacked(path: Path, kind: FileKind, check: Check) -> Iterator[IO[bytes]]:
    """Open the content of a compressed file, temporarily unpacked in its folder.

    Raises:
        UnpackingFailed: it is damaged or truncated.
        DatasetInvalid: its unpacked size exceeds the limit.
    """
    with TemporaryFile(dir=path.parent) as target:
        written = 0
        for piece in unpacked(path, kind):
            check()
            written += target.write(piece)
            _refuse_bomb(written, path, kind.name)
        target.seek(0)
        yield target


def unzipped(file: IO[bytes]) -> "io.BufferedReader[io.RawIOBase] | gzip.GzipFile":
    """The file's content, gzipped or not."""
    stream = io.BufferedReader(cast(io.RawIOBase, file))
    return gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == b"\x1f\x8b" else stream


def _refuse_bomb(written: int, path: Path, what: str) -> None:
    maximum = max(refusals.MAX_UNPACKED_BYTES, refusals.MAX_UNPACKED_RATIO * path.stat().st_size)
    if written > maximum:
        raise DatasetInvalid(f"The {what} unpacks to more than {maximum // 2**20:,} MiB, the maximum. Upload less.")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """`zipfile` decodes names without the UTF-8 flag as code page 437, which is reversible."""
    encoding = "utf-8" if info.flag_bits & NAME_IS_UTF8 else "cp437"
    return decode_zip_name(info.orig_filename.encode(encoding), info.flag_bits, info.extra)


def _tar_name(name: str) -> str:
    """`tarfile` decodes names as UTF-8, and keeps the bytes of others by `surrogateescape`."""
    return name if name.isascii() else decode_zip_name(name.encode("utf-8", "surrogateescape"), 0, b"")


def slice_of(file: IO[bytes], start: int, size: int) -> IO[bytes]:
    """A range of an open file, as a file."""
    return cast(IO[bytes], io.BufferedReader(_Slice(file, start, size)))


class _Slice(io.RawIOBase):
    """A range of a file that others read too."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._at, self._end = file, start, start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._at)
        data = self._file.read(min(len(buffer), self._end - self._at))
        if not data and self._at < self._end:
            raise EOFError("the archive is truncated within this file")
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Bounded:
    """A file that refuses reads of more than `max_bytes`, unless that is None."""

    def __init__(self, file: IO[bytes], max_bytes: int, complaint: str) -> None:
        self._file = file
        self._complaint = complaint
        self.max_bytes: int | None = max_bytes
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if self.max_bytes is not None and size > self.max_bytes:
            raise DatasetInvalid(f"{self._complaint}: its directory exceeds the limit. Pack fewer files.")
        return self._file.read(size)
