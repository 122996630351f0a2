"""Reads an image's orientation from EXIF or XMP, and rotates it upright.

EXIF is parsed here because Pillow's `exif_transpose` rewrites all of it, and fails on any other value of a wrong type
or size. Only the orientation is read; like ImageMagick, the rest is ignored.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from tenfold.trainer.arrays import Bytes

ORIENTATION = 0x0112

# EXIF 2.3's integer types (4.6.2) as `struct` formats: BYTE, SHORT, LONG.
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
    """An entry of a TIFF directory: its tag, type, number of values, and the position of the values or their offset."""

    tag: int
    type: int
    values: int
    at: int


def orientation_of(image: Image.Image) -> int:
    """The orientation, 1 to 8 as in EXIF; 1 (upright) if missing or invalid."""
    exif, xmp = image.info.get("exif"), image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    found = orientation_in_exif(exif) if isinstance(exif, bytes) else None
    if found is None and xmp:
        text = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
        match = XMP_ORIENTATION.search(text)
        found = int(match[1]) if match else None
    return found or 1


def orientation_in_exif(exif: bytes) -> int | None:
    """The orientation, 1 to 8, in an EXIF block; None if missing or invalid."""
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
    """The entries of the classic TIFF directory at `start`, up to the end of the data."""
    if start + 2 > len(data):
        return
    count = struct.unpack_from(f"{order}H", data, start)[0]
    for at in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, at)
        yield Entry(tag, kind, values, at + 8)


def value_of(data: bytes | bytearray, order: str, entry: Entry, room: int = 4) -> int | None:
    """The orientation in an entry; None if it is not a number from 1 to 8."""
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
    """The image rotated upright."""
    return image.transpose(TURNS[orientation]) if orientation in TURNS else image


def turned_upright(picture: Bytes, orientation: int) -> Bytes:
    """The image (h, w) or (h, w, 3) uint8 rotated upright; (w, h) for orientations 5 to 8."""
    if orientation in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)
