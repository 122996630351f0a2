"""Reads the central directory of a zip one record at a time.

`zipfile` makes an object for every member: 700 MB for a million of them, in each worker that needs two thousand.
Standard library only: the web counts images with it.
"""

import stat
import struct
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from operator import gt
from typing import BinaryIO, NamedTuple

from tenfold.trainer.files.zip_names import decode_zip_name, extra_field

# See PKWARE's APPNOTE.TXT, 4.3.12 and 4.3.14 to 4.3.16.
RECORD = struct.Struct("<4s6H3L5H2L")
# The fields of RECORD that a scan needs: signature, flags, sizes, lengths, offset of the local header.
SCANNED = struct.Struct("<4s4xH10x2L3H8xL")
RECORD_SIGNATURE = b"PK\x01\x02"
END = struct.Struct("<4s4H2LH")
END_SIGNATURE = b"PK\x05\x06"
END64 = struct.Struct("<4sQ2H2L4Q")
END64_SIGNATURE = b"PK\x06\x06"
END64_LOCATOR = struct.Struct("<4sLQL")
END64_LOCATOR_SIGNATURE = b"PK\x06\x07"
EXTRA_ZIP64 = 0x0001
IN_ZIP64 = 0xFFFF_FFFF
IN_ZIP64_END = 0xFFFF
MAX_COMMENT = 0xFFFF
MAX_RECORD = RECORD.size + 3 * 0xFFFF
BLOCK_BYTES = 2**20

ENCRYPTED = 0x1
UNIX, MACOS = 3, 19


class SplitZip(zipfile.BadZipFile):
    """One part of a zip that is split into several files."""


class ZipMember(NamedTuple):
    """One file in a zip, from the central directory.

    `header_at` is the offset of the local header, which repeats `stored_name`; `mode` is the Unix mode if `system` is
    `UNIX`; `record` is the whole record.
    """

    name: str
    flags: int
    method: int
    crc: int
    packed_bytes: int
    unpacked_bytes: int
    header_at: int
    system: int
    mode: int
    stored_name: bytes
    record: bytes

    @property
    def is_regular(self) -> bool:
        """Whether it is not a symbolic link, device, pipe or directory, according to its mode."""
        return stat.S_IFMT(self.mode) in (0, stat.S_IFREG) or self.system not in (UNIX, MACOS)


@dataclass(frozen=True)
class Directory:
    """Where the central directory is in the file; `shift` is the number of bytes before the zip."""

    start: int
    stop: int
    shift: int


def find_directory(file: BinaryIO) -> Directory:
    """The central directory of an open zip.

    Raises:
        zipfile.BadZipFile: this is not a zip, or one part of a split zip.
    """
    file_size = file.seek(0, 2)
    file.seek(max(file_size - END.size - MAX_COMMENT, 0))
    tail = file.read()
    found = len(tail) - END.size
    if found < 0 or not (tail.startswith(END_SIGNATURE, found) and tail.endswith(b"\0\0")):
        found = tail.rfind(END_SIGNATURE)
    if not 0 <= found <= len(tail) - END.size:
        raise zipfile.BadZipFile("File is not a zip file")
    _, disk, *_, size, offset, _ = END.unpack_from(tail, found)
    if disk not in (0, IN_ZIP64_END):
        raise SplitZip(f"the last of {disk + 1} parts")
    stop = file_size - len(tail) + found
    if zip64 := _find_zip64(file, stop):
        size, offset, stop = zip64
    start = stop - size
    if start < 0:
        raise zipfile.BadZipFile("Bad offset for central directory")
    return Directory(start, stop, shift=start - offset)


def scan(file: BinaryIO, directory: Directory) -> Iterator[tuple[int, str, int, int, int]]:
    """For each member, in the directory's order: the offset of its record, its name, the offset of its local header,
    and its packed and unpacked size in bytes.

    Raises:
        zipfile.BadZipFile: the directory is damaged.
    """
    file.seek(directory.start)
    block, block_at, position = b"", directory.start, directory.start
    while position < directory.stop:
        at = position - block_at
        if at + MAX_RECORD > len(block):
            block, block_at, at = block[at:] + file.read(BLOCK_BYTES), position, 0
        if len(block) - at < RECORD.size:
            raise zipfile.BadZipFile("Truncated central directory")
        signature, flags, packed, unpacked, name_length, extra_length, comment_length, offset = SCANNED.unpack_from(
            block, at
        )
        if signature != RECORD_SIGNATURE:
            raise zipfile.BadZipFile("Bad magic number for central directory")
        size = RECORD.size + name_length + extra_length + comment_length
        if position + size > directory.stop:
            raise zipfile.BadZipFile("Truncated central directory")
        extra_at = at + RECORD.size + name_length
        name, extra = block[at + RECORD.size : extra_at], block[extra_at : extra_at + extra_length]
        if IN_ZIP64 in (packed, unpacked, offset):
            unpacked, packed, offset = _sizes_in_zip64(extra, unpacked, packed, offset)
        yield position, decode_zip_name(name, flags, extra), offset + directory.shift, packed, unpacked
        position += size


def read_member(file: BinaryIO, directory: Directory, position: int) -> ZipMember:
    """The member with its record at this offset, as `scan` returned it.

    Raises:
        zipfile.BadZipFile: there is no record at this offset.
    """
    file.seek(position)
    head = file.read(RECORD.size)
    if len(head) != RECORD.size:
        raise zipfile.BadZipFile("Truncated central directory")
    (
        signature,
        made_by,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        unpacked,
        name_length,
        extra_length,
        comment_length,
        _,
        _,
        attributes,
        offset,
    ) = RECORD.unpack(head)
    if signature != RECORD_SIGNATURE:
        raise zipfile.BadZipFile("Bad magic number for central directory")
    rest = file.read(name_length + extra_length + comment_length)
    stored_name, extra = rest[:name_length], rest[name_length : name_length + extra_length]
    if IN_ZIP64 in (packed, unpacked, offset):
        unpacked, packed, offset = _sizes_in_zip64(extra, unpacked, packed, offset)
    system = made_by >> 8
    return ZipMember(
        decode_zip_name(stored_name, flags, extra),
        flags,
        method,
        crc,
        packed,
        unpacked,
        offset + directory.shift,
        system,
        attributes >> 16,
        stored_name,
        head + rest,
    )


def _find_zip64(file: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """Size, offset and end of the central directory of a zip64."""
    locator_at = end - END64_LOCATOR.size
    record_at = locator_at - END64.size
    if record_at < 0:
        return None
    file.seek(record_at)
    record, locator = file.read(END64.size), file.read(END64_LOCATOR.size)
    if not locator.startswith(END64_LOCATOR_SIGNATURE):
        return None
    _, disk, _, disks = END64_LOCATOR.unpack(locator)
    if disk != 0 or disks > 1:
        raise SplitZip("one of several parts")
    if not record.startswith(END64_SIGNATURE):
        return None
    *_, size, offset = END64.unpack(record)
    return size, offset, record_at


def _sizes_in_zip64(extra: bytes, *sizes: int) -> tuple[int, ...]:
    """The sizes, with those that did not fit taken from the zip64 field, if there is one."""
    values = extra_field(extra, EXTRA_ZIP64)
    filled = []
    for size in sizes:
        if size == IN_ZIP64 and len(values) >= 8:
            size, values = int.from_bytes(values[:8], "little"), values[8:]
        filled.append(size)
    return tuple(filled)


def find_overlap(starts: "array[int]", ends: "array[int]") -> int | None:
    """The index of a range that starts before another has ended, or None.

    Overlapping members can make a small zip unpack to petabytes: David Fifield, "A better zip bomb" (2019). Ranges in
    file order, as in most zips, are compared with their neighbor. Otherwise starts and ends are sorted separately: no
    ranges overlap exactly if each start is at or after the end before it.

    Args:
        starts: where each range starts.
        ends: where each range ends, after its start.

    Example:
        >>> find_overlap(array("Q", [0, 20, 10]), array("Q", [10, 25, 20]))
        >>> find_overlap(array("Q", [0, 20, 10]), array("Q", [10, 25, 21]))
        1
    """
    if not _first_before(ends, starts):
        return None
    ordered = array("Q", sorted(starts))
    found = _first_before(array("Q", sorted(ends)), ordered)
    return None if found is None else starts.index(ordered[found])


def _first_before(ends: "array[int]", starts: "array[int]") -> int | None:
    """The index of the first start that is before the previous end."""
    for index, overlaps in enumerate(map(gt, ends, islice(starts, 1, None)), 1):
        if overlaps:
            return index
    return None
