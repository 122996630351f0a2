"""Reduces a PNG to the chunks that its pixels need, so that damage elsewhere can't keep it from being read.

Texts, times, profiles and other metadata are dropped, except for the orientation; damaged metadata is ignored, as by
ImageMagick and browsers, while Pillow and OpenCV refuse such files. Nothing is decompressed without a limit.
Specification: PNG, third edition (W3C, 2025).
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.orientation import orientation_in_exif

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE = 0, 2, 3
ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
EMPTY_END = b"\0\0\0\0IEND\xaeB`\x82"

# ImageMagick and others store EXIF in a text, as hexadecimal digits.
RAW_PROFILE = re.compile(rb"Raw profile type (exif|APP1)\0")
MAX_EXIF_BYTES = 2**18

# Pixels that are only decompressed to verify their checksum, at a time.
STEP_BYTES = 2**20


class Chunk(NamedTuple):
    kind: bytes
    start: int  # of the data
    end: int
    whole: bool  # complete, with a correct checksum


class Png(NamedTuple):
    """A PNG without metadata.

    Attributes:
        data: a PNG file with the same pixels and nothing else.
        orientation: 1 to 8, as in EXIF.
        depth: bits per channel.
        frames: the number of images: 1 unless it is animated.
    """

    data: bytes
    orientation: int
    depth: int
    frames: int


def read_png(data: bytes) -> Png:
    """Remove everything that the pixels of a PNG do not need.

    Raises:
        ImageUnreadable: its pixels are damaged or missing.
    """
    parts, orientation, frames = [SIGNATURE], 1, 0
    color, depth, colors, pixels, doubtful = GRAY, 8, 0, list[Chunk](), False
    for chunk in _chunks(data):
        length = chunk.end - chunk.start
        if chunk.kind == b"IHDR" and length == 13:
            depth, color = data[chunk.start + 8 : chunk.start + 10]
        elif chunk.kind == b"IDAT":
            pixels.append(chunk)
            doubtful |= not chunk.whole
        elif chunk.kind == b"PLTE":
            colors = length // 3
        elif chunk.kind == b"tRNS":
            if not chunk.whole or not _fits(length, color, colors):
                continue
        elif chunk.kind in ANIMATION:
            if not chunk.whole:
                continue
            frames += chunk.kind == b"fcTL"
        else:
            orientation = (chunk.whole and _orientation(chunk.kind, data[chunk.start : chunk.end])) or orientation
            continue
        parts.append(_as_chunk(data, chunk))
    if not pixels:
        raise ImageUnreadable("can't be read: it is a PNG without pixels, damaged or truncated", "damaged")
    if doubtful:
        _check_pixels(data, pixels)
    return Png(b"".join([*parts, EMPTY_END]), orientation, depth, max(1, frames))


def _chunks(data: bytes) -> Iterator[Chunk]:
    """All chunks up to the end chunk or the end of the file."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start, end = at + 8, at + 8 + length
        if kind == b"IEND" or not kind.isalpha():
            return
        if end > len(data) and kind != b"IDAT":
            return
        checked = data[end : end + 4] == struct.pack(">I", zlib.crc32(memoryview(data)[at + 4 : end]))
        yield Chunk(kind, start, min(end, len(data)), checked)
        at = end + 4


def _as_chunk(data: bytes, chunk: Chunk) -> bytes:
    """The chunk unchanged; damaged pixels, which have a checksum of their own, get a new chunk checksum."""
    if chunk.kind != b"IDAT" or chunk.whole:
        return data[chunk.start - 8 : chunk.end + 4]
    content = b"IDAT" + data[chunk.start : chunk.end]
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def _fits(length: int, color: int, colors: int) -> bool:
    """Whether a transparency chunk has the required length (11.3.1.1)."""
    return {GRAY: length == 2, RGB: length == 6, PALETTE: 0 < length <= colors}.get(color, False)


def _orientation(kind: bytes, content: bytes) -> int | None:
    if kind == b"eXIf":
        return orientation_in_exif(content)
    if kind not in (b"tEXt", b"zTXt") or not (name := RAW_PROFILE.match(content)):
        return None
    text = content[name.end() :]
    if kind == b"zTXt":
        try:
            text = zlib.decompressobj().decompress(text[1:], MAX_EXIF_BYTES)
        except zlib.error:
            return None
    # An empty line, the profile's name, its length, and its bytes.
    lines = text[:MAX_EXIF_BYTES].split(b"\n")
    numbers = re.sub(rb"[^0-9a-fA-F]", b"", b"".join(lines[3:]))
    return orientation_in_exif(bytes.fromhex(numbers[: len(numbers) // 2 * 2].decode()))


def _check_pixels(data: bytes, chunks: list[Chunk]) -> None:
    """Accept pixels in chunks with a wrong checksum, or truncated ones, if the checksum of all pixels is correct."""
    unpacking = zlib.decompressobj()
    try:
        for chunk in chunks:
            packed = data[chunk.start : chunk.end]
            while packed and not unpacking.eof:
                unpacking.decompress(packed, STEP_BYTES)
                packed = unpacking.unconsumed_tail
    except zlib.error as error:
        raise ImageUnreadable(
            "can't be read: it is a damaged PNG: the checksum of its pixels is wrong", "damaged"
        ) from error
    if not unpacking.eof:
        raise ImageUnreadable("can't be read: it is a damaged PNG, truncated within its pixels", "damaged")
