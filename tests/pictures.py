"""A digit drawn for tests, and whether a file is seen to show it."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from PIL import Image

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images import normalize
from tenfold.trainer.images.decoding import decode


def seven(side: int = 60) -> Bytes:
    """How much ink is where, (side, side) uint8: a 7, which looks different however it is turned."""
    ink = np.zeros((side, side), np.uint8)
    corners = np.array([[0.3, 0.25], [0.7, 0.25], [0.45, 0.78]]) * side * 16
    cv2.polylines(ink, [corners.astype(np.int32)], False, 255, max(2, side // 12), cv2.LINE_AA, 4)
    return ink


def file_of(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, format, **options)
    return data.getvalue()


def shows_seven(data: bytes, page: int = 0) -> bool:
    """Whether the file, read and normalized, is like the 7 in black on white."""
    return is_seven(decode(data, page))


def is_seven(gray: Bytes) -> bool:
    seen, expected = normalize(gray), normalize(255 - seven())
    if seen.blank:
        return False
    return bool(np.corrcoef(seen.pixels.ravel(), expected.pixels.ravel())[0, 1] > 0.7)


def png_chunk(kind: bytes, content: bytes, *, checksum: int | None = None) -> bytes:
    right = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", right if checksum is None else checksum)
