"""Reads the images of an uploaded zip, in the archive's own order, without ever extracting to disk."""

import io
import struct
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO, overload

from worker.errors import ArchiveError
from worker.zip_directory import (
    ENCRYPTED,
    END,
    END_SIGNATURE,
    NAME_IS_UTF8,
    RECORD,
    Directory,
    Member,
    find_directory,
    read_member,
    scan_names,
)

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})

# Flags and lengths in a member's own header (APPNOTE.TXT, 4.3.7); the rest is as the central directory has it.
HEADER = struct.Struct("<4s2xH18x2H")
HEADER_SIGNATURE = b"PK\x03\x04"

# Small images lie next to each other, so one read of the file brings hundreds.
BUFFER_BYTES = 256 * 2**10

# Flags that change nothing about reading: how hard it was packed, sizes that follow the data, UTF-8 names.
PLAIN_FLAGS = 0x2 | 0x4 | 0x8 | NAME_IS_UTF8

# What packing can add to bytes that do not compress: far below this, even for bz2 and lzma.
MOST_OVERHEAD_BYTES = 2**20


class UnreadableMember(Exception):
    """One member of the archive that cannot be read; its row gets this message."""


class Members(Sequence[Member]):
    """Members of an open archive, each read from its directory when it is asked for: they take 8 bytes apiece.

    Args:
        positions: where their records lie in the file.
    """

    def __init__(self, file: BinaryIO, directory: Directory, positions: "array[int]") -> None:
        self._file = file
        self._directory = directory
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> "Members": ...
    def __getitem__(self, index: int | slice) -> "Member | Members":
        if isinstance(index, slice):
            return Members(self._file, self._directory, self.positions[index])
        return self._read(self.positions[index])

    def __iter__(self) -> Iterator[Member]:
        return map(self._read, self.positions)

    def _read(self, position: int) -> Member:
        try:
            return read_member(self._file, self._directory, position)
        except zipfile.BadZipFile as error:
            raise _no_zip(error) from error


@dataclass(frozen=True)
class Listing:
    """What an archive holds. `skipped` counts files that are no images: thumbnails, notes, system files."""

    images: Members
    skipped: int


class Archive:
    """An open zip of images. Close it, or use it in a `with` block.

    Raises:
        ArchiveError: the file is no zip that can be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb", buffering=BUFFER_BYTES)
            # A buffer each for the members and the directory: reading goes back and forth between the two.
            self._directory_file = path.open("rb", buffering=BUFFER_BYTES)
        except OSError as error:
            raise _no_zip(error) from error
        try:
            self._directory = find_directory(self._directory_file)
        except (zipfile.BadZipFile, OSError) as error:
            self.close()
            raise _no_zip(error) from error

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._directory_file.close()

    @cached_property
    def listing(self) -> Listing:
        """What the archive holds; its whole directory is read for it, and none of the images.

        Raises:
            ArchiveError: the directory is damaged, or there is no image.
        """
        positions, files = array("Q"), 0
        try:
            for position, name in scan_names(self._directory_file, self._directory):
                if not name.endswith("/"):
                    files += 1
                    if is_image(name):
                        positions.append(position)
        except (zipfile.BadZipFile, OSError) as error:
            raise _no_zip(error) from error
        if not files:
            raise ArchiveError("The zip is empty. Add the images to it and upload it again.")
        if not positions:
            raise ArchiveError(
                f"The zip holds {files} files, but no image among them "
                f"(looked for {', '.join(sorted(IMAGE_SUFFIXES))})."
            )
        return Listing(self.members(positions), skipped=files - len(positions))

    def members(self, positions: "array[int]") -> Members:
        """The members whose records lie at these positions, those of `listing.images` or some of them."""
        return Members(self._directory_file, self._directory, positions)

    def read(self, member: Member, max_bytes: int) -> bytes:
        """The unpacked bytes of one member.

        Raises:
            UnreadableMember: it is encrypted, damaged, packed in an unknown way, or larger than `max_bytes`.
        """
        if member.flags & ENCRYPTED:
            raise UnreadableMember("is encrypted; pack the images without a password")
        data = self._read_plain(member, max_bytes)
        return self._read_with_zipfile(member, max_bytes) if data is None else data

    def _read_plain(self, member: Member, max_bytes: int) -> bytes | None:
        """The bytes of a whole member that is stored or deflated, checked; None for any other, and for a bad one."""
        if max(member.packed_bytes, member.unpacked_bytes) > max_bytes or member.flags & ~PLAIN_FLAGS:
            return None
        header = self._read_header(member)
        if len(header) != HEADER.size:
            return None
        signature, flags, name_length, extra_length = HEADER.unpack(header)
        if signature != HEADER_SIGNATURE or (flags ^ member.flags) & NAME_IS_UTF8:
            return None
        names = self._file.read(name_length + extra_length)
        packed = self._file.read(member.packed_bytes)
        if names[:name_length] != member.stored_name or len(packed) != member.packed_bytes:
            return None
        data = _unpack(packed, member.method, member.unpacked_bytes)
        return data if data is not None and zlib.crc32(data) == member.crc else None

    def _read_with_zipfile(self, member: Member, max_bytes: int) -> bytes:
        """The bytes of a member as `zipfile` reads them, or its reason why not, from a zip of just this member."""
        try:
            with zipfile.ZipFile(self._zip_of(member, max_bytes)) as alone, alone.open(alone.infolist()[0]) as file:
                data = file.read(max_bytes + 1)
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
            OSError,
            EOFError,
            ValueError,
        ) as error:
            raise UnreadableMember(f"is damaged in the archive: {error}") from error
        except Exception as error:  # zlib, bz2 and lzma each raise an error type of their own
            raise UnreadableMember(f"cannot be unpacked: {error}") from error
        if len(data) > max_bytes:
            raise UnreadableMember(f"is larger than {max_bytes} bytes when unpacked")
        return data

    def _zip_of(self, member: Member, max_bytes: int) -> BinaryIO:
        header = self._read_header(member)
        names_length = sum(HEADER.unpack(header)[2:]) if len(header) == HEADER.size else 0
        # Packed bytes beyond these unpack to more than `max_bytes`.
        body = self._file.read(names_length + min(member.packed_bytes, max_bytes + MOST_OVERHEAD_BYTES))
        record = member.record[: RECORD.size - 4] + bytes(4) + member.record[RECORD.size :]
        local = header + body
        end = END.pack(END_SIGNATURE, 0, 0, 1, 1, len(record), len(local), 0)
        return io.BytesIO(local + record + end)

    def _read_header(self, member: Member) -> bytes:
        if not 0 <= member.header_at < self._directory.stop:
            return b""
        self._file.seek(member.header_at)
        return self._file.read(HEADER.size)


def write_index(images: Members, file: BinaryIO) -> None:
    """Write where each image's record lies in its archive, for `read_index`: 8 bytes an image."""
    file.write(images.positions.tobytes())


def read_index(path: Path, start: int, stop: int) -> "array[int]":
    """Some of the positions that `write_index` wrote, for `Archive.members`."""
    positions = array("Q")
    with path.open("rb") as file:
        file.seek(start * positions.itemsize)
        positions.frombytes(file.read((stop - start) * positions.itemsize))
    return positions


def is_image(name: str) -> bool:
    """Whether a member's name is that of an image that a person put there, and not a thumbnail of the system's."""
    base = name.rpartition("/")[2]
    if base.startswith(".") or base[base.rfind(".") :].lower() not in IMAGE_SUFFIXES:
        return False
    return "__MACOSX" not in name or "__MACOSX" not in name.split("/")


def label_of(name: str, class_names: Sequence[str]) -> str | None:
    """The class that the member's folder names (`7/scan.png` is a 7), or None when it names none."""
    folder = _last_part(name.rpartition("/")[0])
    return folder if folder in class_names else None


@lru_cache
def _last_part(path: str) -> str:
    return PurePosixPath(path).name


def _unpack(packed: bytes, method: int, size: int) -> bytes | None:
    if method == zipfile.ZIP_STORED:
        data = packed
    elif method == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1)
        except zlib.error:
            return None
    else:
        return None
    return data if len(data) == size else None


def _no_zip(error: Exception) -> ArchiveError:
    return ArchiveError(
        f"This file is not a zip archive that can be read ({error}). Pack the images into a .zip and upload that."
    )
