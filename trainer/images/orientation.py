"""Which way up a picture is to be shown, by its EXIF or XMP.

EXIF is read here, and of it this one value: Pillow's `exif_transpose` writes all of it anew, and gives up a picture for
any other value that is of a wrong type or size. As ImageMagick does, whatever is wrong with the rest is not looked at.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from trainer.idx import Bytes

ORIENTATION = 0x0112

# The types of EXIF 2.3 (4.6.2) that a whole number may have, as `struct` knows them: BYTE, SHORT, LONG.
WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I"}

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")


class Entry(NamedTuple):
    """An entry of a TIFF directory: its tag, the type of its values, how many, and where they, or their place, are."""

    tag: int
    type: int
    values: int
    at: int


def orientation_of(image: Image.Image) -> int:
    """From 1 to 8 as in EXIF; 1, which is upright, where the file does not say, or says what is none of these."""
    exif, xmp = image.info.get("exif"), image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    found = orientation_in_exif(exif) if isinstance(exif, bytes) else None
    if found is None and xmp:
        text = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
        match = XMP_ORIENTATION.search(text)
        found = int(match[1]) if match else None
    return found or 1


def orientation_in_exif(exif: bytes) -> int | None:
    """The orientation, 1 to 8, in a block of EXIF, or None where it has no usable one."""
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 8:
        return None
    start = struct.unpack_from(f"{order}I", exif, 4)[0]
    for entry in entries(exif, order, start):
        if entry.tag == ORIENTATION:
            return value_of(exif, order, entry)
    return None


def entries(data: bytes, order: str, start: int) -> Iterator[Entry]:
    """The entries of the classic TIFF directory at `start`, as far as the data go."""
    if start + 2 > len(data):
        return
    count = struct.unpack_from(f"{order}H", data, start)[0]
    for at in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, at)
        yield Entry(tag, kind, values, at + 8)


def value_of(data: bytes | bytearray, order: str, entry: Entry, room: int = 4) -> int | None:
    """An orientation, which is the first number of the entry; None where it is no number from 1 to 8."""
    form = WHOLE_NUMBERS.get(entry.type)
    if form is None or not entry.values:
        return None
    at = entry.at
    if entry.values * struct.calcsize(f"<{form}") > room:
        at = struct.unpack_from(f"{order}{'I' if room == 4 else 'Q'}", data, at)[0]
    if at + struct.calcsize(f"<{form}") > len(data):
        return None
    value: int = struct.unpack_from(f"{order}{form}", data, at)[0]
    return value if 1 <= value <= 8 else None


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as it is to be shown."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def turned_upright(picture: Bytes, orientation: int) -> Bytes:
    """The picture (h, w) uint8 as it is to be shown; for orientations from 5 to 8 (w, h)."""
    if orientation in (5, 6, 7, 8):
        picture = picture.T
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)
