"""The directories of a TIFF or BigTIFF: which of them are pages, and how these are to be turned.

Specifications: TIFF 6.0 (Adobe, 1992), and BigTIFF as libtiff has it.
"""

import struct
from typing import NamedTuple

from trainer.errors import ImageUnreadable
from trainer.images.orientation import ORIENTATION, WHOLE_NUMBERS, Entry, value_of

WIDTH, HEIGHT, DEPTH, COMPRESSION, SAMPLES = 0x0100, 0x0101, 0x0102, 0x0103, 0x0115
NEW_SUBFILE_TYPE, EXTRA_SAMPLES = 0x00FE, 0x0152
# What a channel beyond the colors can be; a file of which that is not known says 0 or nothing.
UNSPECIFIED, OPACITY = 0, 2
# Of `NEW_SUBFILE_TYPE`: a smaller copy of another directory's picture, or what masks one.
NO_PAGE = 0x01 | 0x04

# Directories within a directory, of EXIF, GPS and the like: Pillow reads them, and gives up at a wrong value in them.
WITHIN = frozenset({0x014A, 0x8769, 0x8825, 0xA005})
# What such an entry is called instead. TIFF 6.0 (section 2) lets readers pass over tags that they do not know.
UNKNOWN_TAG = 0xFFFE

# A fax of a day has hundreds of pages.
MOST_DIRECTORIES = 10_000


class Directory(NamedTuple):
    """What is known of one picture in the file.

    Attributes:
        number: its place among all directories, from 0.
        orientation: 1 to 8, as in EXIF.
        is_page: it is no smaller copy and no mask.
        compression: TIFF's number for how the pixels are packed.
        is_deep_color: it has several channels of more than 8 bits.
        alpha_is_guessed: it has a channel more than its colors need, and does not say what for.
    """

    number: int
    width: int
    height: int
    orientation: int
    is_page: bool
    compression: int
    is_deep_color: bool
    alpha_is_guessed: bool


def read_directories(data: bytes) -> tuple[list[Directory], bytes]:
    """All directories, and the file with what would turn its pictures, or trouble Pillow, taken out of them.

    Raises:
        ImageUnreadable: the file has none that can be read, or too many.
    """
    order, big = "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")
    file, found, seen, read = bytearray(data), list[Directory](), set[int](), 0
    start = _number(data, f"{order}Q", 8) if big else _number(data, f"{order}I", 4)
    while start and start not in seen:
        seen.add(start)
        if len(found) == MOST_DIRECTORIES:
            raise ImageUnreadable(f"has more than {MOST_DIRECTORIES:,} pages; split it", "too large")
        entries, start = _entries(data, order, start, big=big)
        read += len(entries)
        # More entries than the file has room for: directories that lie over each other.
        if not entries or read * 12 > len(data):
            break
        found.append(_directory(file, order, entries, len(found), room=8 if big else 4))
    if not found:
        raise ImageUnreadable(
            "is no image that can be read: it is a damaged TIFF, and has no directory that can be read", "damaged"
        )
    return found, bytes(file)


def _entries(data: bytes, order: str, start: int, *, big: bool) -> tuple[list[Entry], int]:
    """The entries of a directory, and where the next one is."""
    length, form, width = (8, f"{order}HHQ", 20) if big else (2, f"{order}HHI", 12)
    count = _number(data, f"{order}{'Q' if big else 'H'}", start)
    end = start + length + count * width
    if not count or end > len(data):
        return [], 0
    found = []
    for at in range(start + length, end, width):
        tag, kind, values = struct.unpack_from(form, data, at)
        found.append(Entry(tag, kind, values, at + struct.calcsize(form)))
    return found, _number(data, f"{order}{'Q' if big else 'I'}", end)


def _directory(file: bytearray, order: str, entries: list[Entry], number: int, room: int) -> Directory:
    orientation, guessed, values = 1, False, dict[int, int]()
    for entry in entries:
        if entry.tag == ORIENTATION:
            orientation = value_of(file, order, entry, room) or 1
        elif entry.tag == EXTRA_SAMPLES and entry.values == 1 and not _number(file, f"{order}H", entry.at):
            struct.pack_into(f"{order}H", file, entry.at, OPACITY)
            guessed = True
        else:
            values[entry.tag] = _value(file, order, entry, room)
        if entry.tag == ORIENTATION or entry.tag in WITHIN:
            struct.pack_into(f"{order}H", file, entry.at - 4 - room, UNKNOWN_TAG)
    return Directory(
        number,
        values.get(WIDTH, 0),
        values.get(HEIGHT, 0),
        orientation,
        not values.get(NEW_SUBFILE_TYPE, 0) & NO_PAGE,
        values.get(COMPRESSION, 1),
        values.get(SAMPLES, 1) > 1 and values.get(DEPTH, 1) > 8,
        guessed,
    )


def _value(file: bytearray, order: str, entry: Entry, room: int) -> int:
    """The first whole number of an entry; 0 where it has none."""
    form = WHOLE_NUMBERS.get(entry.type)
    if form is None:
        return 0
    at = entry.at
    if entry.values * struct.calcsize(f"<{form}") > room:
        at = _number(file, f"{order}{'I' if room == 4 else 'Q'}", at)
    return _number(file, f"{order}{form}", at)


def _number(data: bytes | bytearray, form: str, at: int) -> int:
    """0 where the data end before."""
    if at + struct.calcsize(form) > len(data):
        return 0
    number: int = struct.unpack_from(form, data, at)[0]
    return number
