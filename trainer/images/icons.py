"""What is in a Windows icon: pictures of several sizes, of which the largest is taken."""

import struct
from typing import NamedTuple

from trainer.errors import ImageUnreadable
from trainer.images.pngs import SIGNATURE

# The directory of an icon can say no more.
MOST_SIDE = 256

ENTRY = struct.Struct("<4B2H2I")
BITMAP_HEADER = struct.Struct("<I2i")


class Icon(NamedTuple):
    side: int
    bits: int
    size: int
    start: int


def png_in_icon(data: bytes) -> bytes | None:
    """The PNG that is the icon's largest picture, or None where that is a bitmap, which Pillow reads.

    Raises:
        ImageUnreadable: the icon is damaged, or a bitmap in it is larger than an icon can be.
    """
    icons = sorted(_icons(data))
    if not icons:
        raise ImageUnreadable("is no image that can be read: it is a damaged icon: it holds no picture", "damaged")
    for icon in icons:
        picture = data[icon.start : icon.start + BITMAP_HEADER.size]
        if picture.startswith(SIGNATURE[:4]) or len(picture) < BITMAP_HEADER.size:
            continue
        _, width, height = BITMAP_HEADER.unpack(picture)
        # A bitmap's height counts the mask below it too.
        if not 0 < width <= MOST_SIDE or not 0 < height <= 2 * MOST_SIDE:
            raise ImageUnreadable(
                f"is no image that can be read: it is a damaged icon: a picture in it is {width}×{height} pixels",
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
        Icon((width or MOST_SIDE) * (height or MOST_SIDE), bits, size, start)
        for width, height, _, _, _, bits, size, start in entries
    ]
