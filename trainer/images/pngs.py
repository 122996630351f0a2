"""A PNG with nothing in it but what its pixels need, so that nothing else can keep it from being read.

Texts, times, profiles and what else may stand in a PNG have no part in its pixels; of what they say, only the
orientation is taken. Damaged, they are as ImageMagick and browsers take them: as if they were not there. None is
unpacked without bounds. Specification: PNG, third edition (W3C, 2025).
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from trainer.errors import ImageUnreadable
from trainer.images.orientation import orientation_in_exif

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE = 0, 2, 3
ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
EMPTY_END = b"\0\0\0\0IEND\xaeB`\x82"

# ImageMagick and others keep EXIF in a text, as hexadecimal numbers.
RAW_PROFILE = re.compile(rb"Raw profile type (exif|APP1)\0")
MOST_EXIF_BYTES = 2**18

# What is unpacked at a time of pixels that are looked at for nothing but their checksum.
STEP = 2**20


class Chunk(NamedTuple):
    kind: bytes
    start: int  # of the data
    end: int
    whole: bool  # all of it is there, and its checksum is right


class Png(NamedTuple):
    """What is needed of a PNG.

    Attributes:
        data: a PNG with the same pixels, and nothing else.
        orientation: 1 to 8, as in EXIF.
        depth: bits of each channel.
        frames: how many pictures it has: 1, unless it is animated.
    """

    data: bytes
    orientation: int
    depth: int
    frames: int


def read_png(data: bytes) -> Png:
    """Take out of a PNG what its pixels do not need.

    Raises:
        ImageUnreadable: its pixels are damaged, or it has none.
    """
    parts, orientation, frames = [SIGNATURE], 1, 0
    color, depth, colors, pixels, doubtful = GREY, 8, 0, list[Chunk](), False
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
        raise ImageUnreadable(
            "is no image that can be read: it is a PNG without pixels, damaged or cut short", "damaged"
        )
    if doubtful:
        _check_pixels(data, pixels)
    return Png(b"".join([*parts, EMPTY_END]), orientation, depth, max(1, frames))


def _chunks(data: bytes) -> Iterator[Chunk]:
    """All chunks before the one that says it is the end, or that the file ends in."""
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
    """The chunk as it came, if it must be right to be used; pixels have a checksum of their own, and get a new one."""
    if chunk.kind != b"IDAT" or chunk.whole:
        return data[chunk.start - 8 : chunk.end + 4]
    content = b"IDAT" + data[chunk.start : chunk.end]
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def _fits(length: int, color: int, colors: int) -> bool:
    """Whether what says which colors are transparent has the length that it must have (11.3.1.1)."""
    return {GREY: length == 2, RGB: length == 6, PALETTE: 0 < length <= colors}.get(color, False)


def _orientation(kind: bytes, content: bytes) -> int | None:
    if kind == b"eXIf":
        return orientation_in_exif(content)
    if kind not in (b"tEXt", b"zTXt") or not (name := RAW_PROFILE.match(content)):
        return None
    text = content[name.end() :]
    if kind == b"zTXt":
        try:
            text = zlib.decompressobj().decompress(text[1:], MOST_EXIF_BYTES)
        except zlib.error:
            return None
    # A line that is empty, one with the profile's name, one with its length, and its bytes.
    lines = text[:MOST_EXIF_BYTES].split(b"\n")
    numbers = re.sub(rb"[^0-9a-fA-F]", b"", b"".join(lines[3:]))
    return orientation_in_exif(bytes.fromhex(numbers[: len(numbers) // 2 * 2].decode()))


def _check_pixels(data: bytes, chunks: list[Chunk]) -> None:
    """Pixels whose chunks have a wrong checksum, or end early, are right where the checksum of all of them is."""
    unpacking = zlib.decompressobj()
    try:
        for chunk in chunks:
            packed = data[chunk.start : chunk.end]
            while packed and not unpacking.eof:
                unpacking.decompress(packed, STEP)
                packed = unpacking.unconsumed_tail
    except zlib.error as error:
        raise ImageUnreadable(
            "is no image that can be read: it is a damaged PNG: the checksum of its pixels is wrong", "damaged"
        ) from error
    if not unpacking.eof:
        raise ImageUnreadable(
            "is no image that can be read: it is a damaged PNG, cut short within its pixels", "damaged"
        )
