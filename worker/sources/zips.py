"""Reads the images of a zip in the order of the archive, without extracting to disk."""

import io
import struct
import zipfile
import zlib
from array import array
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from tenfold.files.kinds import START_BYTES
from tenfold.files.names import IMAGES, Kind
from tenfold.trainer.files.zip_names import NAME_IS_UTF8
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources.source import (
    NOT_A_FILE,
    TOO_LARGE,
    Limits,
    Listing,
    Members,
    UnreadableMember,
    refuse_to_read,
)
from tenfold.worker.sources.survey import Survey
from tenfold.worker.sources.zip_directory import (
    ENCRYPTED,
    END,
    END_SIGNATURE,
    RECORD,
    SplitZip,
    ZipMember,
    find_directory,
    find_overlap,
    read_member,
    scan,
)

# Flags and lengths in a local header (APPNOTE.TXT, 4.3.7); the rest repeats the central directory.
HEADER = struct.Struct("<4s2xH18x2H")
HEADER_SIGNATURE = b"PK\x03\x04"

# Small images are adjacent, so one read gets hundreds.
BUFFER_BYTES = 256 * 2**10

# Packed bytes that are enough to unpack the first bytes of a file.
START_PACKED_BYTES = 2**14

SPLIT = (
    "This is one part of a split zip; all parts are needed. Join them into one zip "
    "(zip -s 0 first.zip --out whole.zip) and submit that."
)

# Unsupported compression methods (APPNOTE.TXT, 4.4.5).
UNREAD_METHODS = {
    **{
        1: "Shrink",
        6: "Implode",
        9: "Deflate64",
        10: "PKWARE Implode",
        18: "IBM TERSE",
        19: "IBM LZ77",
        20: "Zstandard",
    },
    **{93: "Zstandard", 94: "MP3", 95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd"},
}

# Flags that do not affect reading: compression level, sizes after the data, UTF-8 names.
PLAIN_FLAGS = 0x2 | 0x4 | 0x8 | NAME_IS_UTF8

# More than compression can add to incompressible bytes, even bz2 and lzma.
MAX_OVERHEAD_BYTES = 2**20


class Zip:
    """An open zip of images. Close it, or use it in a `with` block.

    Raises:
        ArchiveError: the file is not a readable zip.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        try:
            self._file = path.open("rb", buffering=BUFFER_BYTES)
            # Separate buffers for members and directory, since reading alternates between them.
            self._directory_file = path.open("rb", buffering=BUFFER_BYTES)
        except OSError as error:
            raise _no_zip(error) from error
        try:
            self._directory = find_directory(self._directory_file)
        except (zipfile.BadZipFile, OSError) as error:
            self._file.seek(0)
            start = self._file.read(len(HEADER_SIGNATURE))
            self.close()
            raise _no_zip(error, start) from error

    def __enter__(self) -> "Zip":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._directory_file.close()

    @cached_property
    def listing(self) -> Listing:
        """List the archive by its directory; only files with unknown names are opened.

        Raises:
            ArchiveError: the directory is damaged, there are no images, images overlap, or limits are exceeded.
        """
        survey, starts, ends, unknown = Survey("zip", self._limits), array("Q"), array("Q"), array("Q")
        try:
            for position, name, header_at, packed_bytes, unpacked_bytes in scan(self._directory_file, self._directory):
                if name.endswith("/"):
                    survey.add_directory()
                elif (kind := survey.add(position, name, unpacked_bytes)) in IMAGES:
                    starts.append(header_at)
                    ends.append(header_at + HEADER.size + packed_bytes)
                elif kind is Kind.UNKNOWN:
                    unknown.append(position)
            for position in unknown:
                member = self._member(position)
                start = self._read_start(member)
                if survey.add_by_content(position, member.name, member.unpacked_bytes, start) is Kind.IMAGE:
                    starts.append(member.header_at)
                    ends.append(member.header_at + HEADER.size + member.packed_bytes)
        except (zipfile.BadZipFile, OSError) as error:
            raise _no_zip(error) from error
        except OverflowError as error:
            raise _no_zip(zipfile.BadZipFile("Bad offset of a member")) from error
        overlapping = find_overlap(starts, ends)
        if overlapping is not None:
            name = self._member(survey.positions[overlapping]).name
            raise ArchiveError(
                f"The zip is damaged or malicious: {name[:100]!r} overlaps with another image. Pack the images again."
            )
        if unknown:
            survey.sort()
        return survey.listing(self)

    def members(self, positions: "array[int]") -> Members:
        """The members at these positions: those of `listing.images`, or some of them."""
        return Members(self._member, positions)

    def read(self, member: ZipMember, max_bytes: int) -> bytes:
        """The unpacked bytes of one member.

        Raises:
            UnreadableMember: it is encrypted, not a regular file, damaged, compressed by an unsupported method, has an
                unsafe name, or is larger than `max_bytes`.
        """
        refuse_to_read(member, member.unpacked_bytes, max_bytes)
        if member.flags & ENCRYPTED:
            raise UnreadableMember("is encrypted; pack the images without a password", "encrypted")
        if not member.is_regular:
            raise UnreadableMember("is a link or device, not an image; pack the image itself", NOT_A_FILE)
        if member.method in UNREAD_METHODS:
            method = UNREAD_METHODS[member.method]
            raise UnreadableMember(
                f"is compressed with {method}, which is not supported; pack the images with Deflate, the usual method",
                "unsupported_compression",
            )
        data = self._read_plain(member, max_bytes)
        return self._read_with_zipfile(member, max_bytes) if data is None else data

    def _member(self, position: int) -> ZipMember:
        try:
            return read_member(self._directory_file, self._directory, position)
        except zipfile.BadZipFile as error:
            raise _no_zip(error) from error

    def _read_start(self, member: ZipMember) -> bytes:
        """The first bytes of a member, for detecting its format; empty if it cannot be read."""
        header = self._read_header(member)
        if len(header) != HEADER.size or member.flags & ENCRYPTED or not member.is_regular:
            return b""
        self._file.seek(sum(HEADER.unpack(header)[2:]), io.SEEK_CUR)
        packed = self._file.read(min(member.packed_bytes, START_PACKED_BYTES))
        if member.method == zipfile.ZIP_STORED:
            return packed[:START_BYTES]
        if member.method == zipfile.ZIP_DEFLATED:
            try:
                return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, START_BYTES)
            except zlib.error:
                return b""
        try:
            return self.read(member, self._limits.image_bytes)[:START_BYTES]
        except UnreadableMember:
            return b""

    def _read_plain(self, member: ZipMember, max_bytes: int) -> bytes | None:
        """The verified bytes of a stored or deflated member; None for any other, or a damaged one."""
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

    def _read_with_zipfile(self, member: ZipMember, max_bytes: int) -> bytes:
        """The bytes of a member, or the error, from `zipfile`, which gets a zip of this member only."""
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
            raise UnreadableMember(f"is larger than {max_bytes} bytes when unpacked", TOO_LARGE)
        return data

    def _zip_of(self, member: ZipMember, max_bytes: int) -> BinaryIO:
        header = self._read_header(member)
        if len(header) != HEADER.size:
            raise UnreadableMember("is damaged in the archive: its header would be beyond the end")
        names_length = sum(HEADER.unpack(header)[2:])
        # More packed bytes than this unpack to more than `max_bytes`.
        body = self._file.read(names_length + min(member.packed_bytes, max_bytes + MAX_OVERHEAD_BYTES))
        record = member.record[: RECORD.size - 4] + bytes(4) + member.record[RECORD.size :]
        local = header + body
        end = END.pack(END_SIGNATURE, 0, 0, 1, 1, len(record), len(local), 0)
        return io.BytesIO(local + record + end)

    def _read_header(self, member: ZipMember) -> bytes:
        if not 0 <= member.header_at < self._directory.stop:
            return b""
        self._file.seek(member.header_at)
        return self._file.read(HEADER.size)


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


def _no_zip(error: Exception, start: bytes = b"") -> ArchiveError:
    if isinstance(error, SplitZip):
        return ArchiveError(SPLIT)
    if start.startswith(HEADER_SIGNATURE):
        return ArchiveError(
            "The zip is truncated or damaged: its list of files, at the end, is missing. Submit the complete file."
        )
    return ArchiveError(
        f"This file is not a readable zip, tar or image ({error}). Pack the images into a .zip or "
        ".tar.gz and submit that."
    )
