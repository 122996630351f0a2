"""Decodes image files as `trainer.images.read_image` does, the common ones several times as fast, with OpenCV.

The fast way is taken only by files that both libraries are known to read alike: grey and RGB PNGs of up to 8 bits,
and baseline JPEGs, without transparency, palette, EXIF or anything else that changes what is seen. All others go to
`read_image`, and so does every file that OpenCV refuses, so that its error is `read_image`'s.
"""

import struct

import cv2
import numpy as np

from trainer.idx import Bytes
from trainer.images.pillow_files import MOST_PIXELS, MOST_WHOLE_PIXELS
from trainer.images.reading import read_image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_HEADER = struct.Struct(">I4s2I5B")
PNG_CHUNK = struct.Struct(">I4s")
# What a PNG may hold beside its pixels and still be the same image to both: none of it is used by either.
PNG_PLAIN_CHUNKS = frozenset({b"IDAT", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"tIME", b"tEXt"})
PNG_GREY, PNG_RGB = 0, 2

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
JPEG_SEGMENT = struct.Struct(">BBH")
JPEG_SIZE = struct.Struct(">BHHB")
# Quantisation and Huffman tables, restart interval, comment, JFIF header.
JPEG_PLAIN_SEGMENTS = frozenset({0xDB, 0xC4, 0xDD, 0xFE, 0xE0})
JPEG_BASELINE, JPEG_SCAN = 0xC0, 0xDA

# What turns an image upright is left to `read_image`.
GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
HALVED = cv2.IMREAD_REDUCED_GRAYSCALE_2 | cv2.IMREAD_IGNORE_ORIENTATION


def decode(data: bytes, page: int = 0) -> Bytes:
    """The image in a file's bytes, as `read_image` gives it: grey (h, w) uint8; of a colour PNG give or take 1.

    Args:
        page: which page, or frame of an animation, counted from 0.

    Raises:
        ImageUnreadable: as `read_image`, with the same message.
    """
    if page:
        return read_image(data, page)
    pixels = plain_pixels(data)
    image = _decode_plain(data, pixels) if pixels else None
    return read_image(data) if image is None else image


def plain_pixels(data: bytes) -> int | None:
    """How many pixels a PNG or JPEG has that looks the same to every program, as far as its headers tell; else None."""
    if data.startswith(PNG_SIGNATURE):
        return _pixels_of_plain_png(data)
    return _pixels_of_plain_jpeg(data) if data.startswith(JPEG_START) else None


def _decode_plain(data: bytes, pixels: int) -> Bytes | None:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), GREY if pixels <= MOST_WHOLE_PIXELS else HALVED)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _pixels_of_plain_png(data: bytes) -> int | None:
    """How many there are, or None when the file is not to be decoded the fast way."""
    if len(data) < 8 + PNG_HEADER.size:
        return None
    length, kind, width, height, depth, colour, *_ = PNG_HEADER.unpack_from(data, 8)
    if kind != b"IHDR" or length != 13 or width * height > MOST_PIXELS:
        return None
    if colour not in (PNG_GREY, PNG_RGB) or depth > 8:
        return None
    position = 8 + 12 + length
    while position + PNG_CHUNK.size <= len(data):
        length, kind = PNG_CHUNK.unpack_from(data, position)
        if kind == b"IEND":
            pixels: int = width * height
            # OpenCV makes room for what the chunk claims to hold, up to 4 GB, before it looks whether it is there.
            return pixels if length == 0 else None
        if kind not in PNG_PLAIN_CHUNKS:
            return None
        # ImageMagick and others keep EXIF in a text of this name.
        if kind == b"tEXt" and data.startswith(b"Raw profile", position + 8):
            return None
        position += 12 + length
    return None


def _pixels_of_plain_jpeg(data: bytes) -> int | None:
    """How many there are, or None when the file is not to be decoded the fast way."""
    if not data.endswith(JPEG_END):
        return None
    pixels: int | None = None
    position = 2
    while position + JPEG_SEGMENT.size <= len(data):
        start, marker, length = JPEG_SEGMENT.unpack_from(data, position)
        if start != 0xFF:
            return None
        if marker == JPEG_SCAN:
            return pixels if _is_one_whole_scan(data, position + 2 + length) else None
        if marker == JPEG_BASELINE:
            if length < 2 + JPEG_SIZE.size or position + 4 + JPEG_SIZE.size > len(data):
                return None
            _, height, width, channels = JPEG_SIZE.unpack_from(data, position + 4)
            pixels = width * height
            if pixels > MOST_PIXELS or channels not in (1, 3):
                return None
        elif marker not in JPEG_PLAIN_SEGMENTS:
            return None
        position += 2 + length
    return None


def _is_one_whole_scan(data: bytes, start: int) -> bool:
    """Whether nothing but compressed pixels comes between here and the end: OpenCV forgives other things there."""
    return data.count(b"\xff", start) == data.count(b"\xff\x00", start) + 1
