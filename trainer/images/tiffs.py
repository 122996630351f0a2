"""Reads the pages of a TIFF or BigTIFF: with Pillow, and with OpenCV what Pillow supports only in part.

Specifications: TIFF 6.0 (Adobe, 1992), and BigTIFF as implemented by libtiff.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from tenfold.files.kinds import TIFF
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.depth import read_deep
from tenfold.trainer.images.orientation import ORIENTATION, WHOLE_NUMBERS, Entry, turned_upright, value_of
from tenfold.trainer.images.pillow_files import MAX_WHOLE_PIXELS, check_size, frame_of, open_image

WIDTH, HEIGHT, DEPTH, COMPRESSION, SAMPLES = 0x0100, 0x0101, 0x0102, 0x0103, 0x0115
NEW_SUBFILE_TYPE, EXTRA_SAMPLES = 0x00FE, 0x0152
# The meaning of a channel beyond the colors.
UNSPECIFIED, OPACITY = 0, 2
# Flags of `NEW_SUBFILE_TYPE`: a reduced version of another image, or a mask.
NO_PAGE = 0x01 | 0x04

# Nested directories (EXIF, GPS and so on): Pillow reads them and fails on a wrong value in them.
NESTED = frozenset({0x014A, 0x8769, 0x8825, 0xA005})
# Replaces the tag of such entries. TIFF 6.0 (section 2) lets readers skip unknown tags.
UNKNOWN_TAG = 0xFFFE

# A day's faxes have hundreds of pages.
MAX_DIRECTORIES = 10_000


class Directory(NamedTuple):
    """One image in the file.

    Attributes:
        number: its index among all directories.
        orientation: 1 to 8, as in EXIF.
        is_page: it is neither a reduced version nor a mask.
        compression: TIFF's number of the compression.
        is_deep_color: it has several channels of more than 8 bits.
        alpha_is_guessed: it has an extra channel of unspecified meaning.
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
    """All directories, and a copy of the file without orientations and without tags that Pillow fails on.

    Raises:
        ImageUnreadable: the file has no readable directory, or too many.
    """
    order, big = "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")
    file, found, seen, read = bytearray(data), list[Directory](), set[int](), 0
    start = _number(data, f"{order}Q", 8) if big else _number(data, f"{order}I", 4)
    while start and start not in seen:
        seen.add(start)
        if len(found) == MAX_DIRECTORIES:
            raise ImageUnreadable(f"has more than {MAX_DIRECTORIES:,} pages; split it", "too_large")
        entries, start = _entries(data, order, start, big=big)
        read += len(entries)
        # More entries than fit into the file: its directories overlap.
        if not entries or read * 12 > len(data):
            break
        found.append(_directory(file, order, entries, len(found), room=8 if big else 4))
    if not found:
        raise ImageUnreadable("can't be read: it is a damaged TIFF without a readable directory", "damaged")
    return found, bytes(file)


def _entries(data: bytes, order: str, start: int, *, big: bool) -> tuple[list[Entry], int]:
    """The entries of a directory, and the position of the next one."""
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
        if entry.tag == ORIENTATION or entry.tag in NESTED:
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
    """The first integer of an entry; 0 if it has none."""
    form = WHOLE_NUMBERS.get(entry.type)
    if form is None:
        return 0
    at = entry.at
    if entry.values * struct.calcsize(f"<{form}") > room:
        at = _number(file, f"{order}{'I' if room == 4 else 'Q'}", at)
    return _number(file, f"{order}{form}", at)


def _number(data: bytes | bytearray, form: str, at: int) -> int:
    """The number at this position; 0 beyond the end of the data."""
    if at + struct.calcsize(form) > len(data):
        return 0
    number: int = struct.unpack_from(form, data, at)[0]
    return number


# By TIFF's number: compressions that Pillow's and OpenCV's builds of libtiff lack.
UNREAD_COMPRESSIONS = {
    34661: "JBIG",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG, as camera's raw images are",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}


def tiff_pages(data: bytes) -> list[Directory]:
    """The directories that are pages; if none is, the first directory."""
    return _pages(read_directories(data)[0])


@contextmanager
def open_tiff(data: bytes, *, color: bool = False) -> Iterator[Callable[[int], Bytes]]:
    """Open a file; yields a function that returns the page with an index as upright gray (h, w) uint8.

    Args:
        color: whether a page with colors is RGB (h, w, 3).
    """
    directories, plain = read_directories(data)
    pages = _pages(directories)
    with _opened(plain) as image:

        def draw(number: int) -> Bytes:
            if number >= len(pages):
                raise ImageUnreadable(f"has no page {number + 1}", "damaged")
            return turned_upright(_drawn(plain, image, pages[number], color), pages[number].orientation)

        yield draw


def _pages(directories: list[Directory]) -> list[Directory]:
    return [directory for directory in directories if directory.is_page] or directories[:1]


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image | None]:
    """The image, or None if Pillow does not support the first directory's pixel format."""
    with ExitStack() as opened:
        try:
            image = opened.enter_context(open_image(data, TIFF))
        except UnidentifiedImageError:
            image = None
        yield image


def _drawn(data: bytes, image: Image.Image | None, page: Directory, color: bool) -> Bytes:
    if page.compression in UNREAD_COMPRESSIONS:
        raise ImageUnreadable(
            f"is a TIFF with {UNREAD_COMPRESSIONS[page.compression]} compression, which is not supported; "
            "save it with LZW or Deflate, or as PNG",
            "missing_package",
        )
    check_size(page.width, page.height)
    if image is not None and not page.is_deep_color:
        try:
            return frame_of(image, page.number, color=color, opaque_if_clear=page.alpha_is_guessed)
        except SyntaxError:
            pass  # raised by Pillow for unsupported pixel formats
    return read_deep(data, page.number, halved=page.width * page.height > MAX_WHOLE_PIXELS, color=color)
