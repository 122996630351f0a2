"""Reads the images of a zip, in the archive's own order, without ever extracting to disk."""

import io
import struct
import zipfile
import zlib
from array import array
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from trainer.file_kinds import START_BYTES
from trainer.naming.zip_names import NAME_IS_UTF8
from worker.errors import ArchiveError
from worker.sources.limits import Limits
from worker.sources.names import IMAGES, Kind
from worker.sources.overlaps import find_overlap
from worker.sources.source import NO_FILE, TOO_LARGE, Listing, Members, UnreadableMember, refuse_to_read
from worker.sources.survey import Survey
from worker.sources.zip_directory import (
    ENCRYPTED,
    END,
    END_SIGNATURE,
    RECORD,
    SplitZip,
    ZipMember,
    find_directory,
    read_member,
    scan,
)

# Flags and lengths in a member's own header (APPNOTE.TXT, 4.3.7); the rest is as the central directory has it.
HEADER = struct.Struct("<4s2xH18x2H")
HEADER_SIGNATURE = b"PK\x03\x04"

# Small images lie next to each other, so one read of the file brings hundreds.
BUFFER_BYTES = 256 * 2**10

# Packed, so much is enough for the first bytes of a file.
START_PACKED_BYTES = 2**14

SPLIT = (
    "This is one part of a split zip, of which all parts are needed. Join them into one zip "
    "(zip -s 0 first.zip --out whole.zip) and submit that."
)

# Ways of packing that are not read, by their numbers (APPNOTE.TXT, 4.4.5).
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

# Flags that change nothing about reading: how hard it was packed, sizes that follow the data, UTF-8 names.
PLAIN_FLAGS = 0x2 | 0x4 | 0x8 | NAME_IS_UTF8

# What packing can add to bytes that do not compress: far below this, even for bz2 and lzma.
MOST_OVERHEAD_BYTES = 2**20


class Zip:
    """An open zip of images. Close it, or use it in a `with` block.

    Raises:
        ArchiveError: the file is no zip that can be read.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        try:
            self._file = path.open("rb", buffering=BUFFER_BYTES)
            # A buffer each for the members and the directory: reading goes back and forth between the two.
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
        """What the archive holds; its whole directory is read for it, and none of the images.

        Raises:
            ArchiveError: the directory is damaged, there is no image, images share bytes, or limits are passed.
        """
        survey, starts, ends, unknown = Survey("zip", self._limits), array("Q"), array("Q"), array("Q")
        try:
            for position, name, header_at, packed_bytes, unpacked_bytes in scan(self._directory_file, self._directory):
                if name.endswith("/"):
                    survey.meet_directory()
                elif (kind := survey.meet(position, name, unpacked_bytes)) in IMAGES:
                    starts.append(header_at)
                    ends.append(header_at + HEADER.size + packed_bytes)
                elif kind is Kind.UNKNOWN:
                    unknown.append(position)
            for position in unknown:
                member = self._member(position)
                start = self._read_start(member)
                if survey.meet_content(position, member.name, member.unpacked_bytes, start) is Kind.IMAGE:
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
                f"In the zip {name[:100]!r} shares bytes with another image: it is damaged, or was made to do harm. "
                "Pack the images anew."
            )
        if unknown:
            survey.sort()
        return survey.listing(self)

    def members(self, positions: "array[int]") -> Members:
        """The members whose records lie at these positions, those of `listing.images` or some of them."""
        return Members(self._member, positions)

    def read(self, member: ZipMember, max_bytes: int) -> bytes:
        """The unpacked bytes of one member.

        Raises:
            UnreadableMember: it is encrypted, no regular file, damaged, packed in an unknown way, named like a way out
                of the archive, or larger than `max_bytes`.
        """
        refuse_to_read(member, member.unpacked_bytes, max_bytes)
        if member.flags & ENCRYPTED:
            raise UnreadableMember("is encrypted; pack the images without a password", "encrypted")
        if not member.is_regular:
            raise UnreadableMember("is a link or a device, no image; pack the image itself", NO_FILE)
        if member.method in UNREAD_METHODS:
            method = UNREAD_METHODS[member.method]
            raise UnreadableMember(
                f"is packed with {method}, which is not read here; pack the images with Deflate, as zips usually are",
                "packing method",
            )
        data = self._read_plain(member, max_bytes)
        return self._read_with_zipfile(member, max_bytes) if data is None else data

    def _member(self, position: int) -> ZipMember:
        try:
            return read_member(self._directory_file, self._directory, position)
        except zipfile.BadZipFile as error:
            raise _no_zip(error) from error

    def _read_start(self, member: ZipMember) -> bytes:
        """The first bytes of a member, by which its kind is told; none where it cannot be read."""
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

    def _read_with_zipfile(self, member: ZipMember, max_bytes: int) -> bytes:
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
            raise UnreadableMember(f"is larger than {max_bytes} bytes when unpacked", TOO_LARGE)
        return data

    def _zip_of(self, member: ZipMember, max_bytes: int) -> BinaryIO:
        header = self._read_header(member)
        if len(header) != HEADER.size:
            raise UnreadableMember("is damaged in the archive: its header would lie behind the end")
        names_length = sum(HEADER.unpack(header)[2:])
        # Packed bytes beyond these unpack to more than `max_bytes`.
        body = self._file.read(names_length + min(member.packed_bytes, max_bytes + MOST_OVERHEAD_BYTES))
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
            "The zip is cut short or damaged: its list of files, at the end, is missing. Submit the whole of it."
        )
    return ArchiveError(
        f"This file is not a zip, a tar or an image that can be read ({error}). "
        "Pack the images into a .zip or a .tar.gz and hand that in."
    )
