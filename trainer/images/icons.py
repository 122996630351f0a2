"""Windows icons, which hold an image in several sizes: the largest is read."""

import struct
from typing import NamedTuple

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.pngs import SIGNATURE

# An icon's directory has one byte for each side.
MAX_SIDE = 256

ENTRY = struct.Struct("<4B2H2I")
BITMAP_HEADER = struct.Struct("<I2i")


class Icon(NamedTuple):
    side: int
    bits: int
    size: int
    start: int


def png_in_icon(data: bytes) -> bytes | None:
    """The icon's largest image if it is a PNG; None if it is a bitmap, which Pillow reads.

    Raises:
        ImageUnreadable: the icon is damaged, or claims a bitmap larger than an icon can be.
    """
    icons = sorted(_icons(data))
    if not icons:
        raise ImageUnreadable("can't be read: it is a damaged icon: it contains no image", "damaged")
    for icon in icons:
        picture = data[icon.start : icon.start + BITMAP_HEADER.size]
        if picture.startswith(SIGNATURE[:4]) or len(picture) < BITMAP_HEADER.size:
            continue
        _, width, height = BITMAP_HEADER.unpack(picture)
        # A bitmap's height includes its mask.
        if not 0 < width <= MAX_SIDE or not 0 < height <= 2 * MAX_SIDE:
            raise ImageUnreadable(
                f"can't be read: it is a damaged icon: an image in it is {width}×{height} pixels",
                "damaged",
            )
    largest = icons[-1]
    picture = data[largest.start : largest.start + largest.size]
    return picture if picture.startswith(SIGNATURE) else None


def _icons(data: bytes) -> list[Icon]:
    count = int.from_bytes(data[4:6], "little")
    places = range(6, min(6 + ENTRY.size * count, len(data) - ENTRY.size + 1), ENTRY.size)
    entries = [ENTRY.unpack_from(data, at) for at in places]
    return [
        Icon((width or MAX_SIDE) * (height or MAX_SIDE), bits, size, start)
        for width, height, _, _, _, bits, size, start in entries
    ]
