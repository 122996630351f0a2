"""Tells by its first bytes what kind of file it is, whatever it is called."""

import re
from enum import StrEnum

# How many bytes of a file `kind_of_content` needs.
CONTENT_BYTES = 512


class Content(StrEnum):
    """What a file is, as far as its first bytes tell."""

    IMAGE = "image"
    PDF = "PDF"
    ARCHIVE = "archive"
    OTHER = "other"


IMAGE_STARTS = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"\xff\x0a",  # JPEG XL
    b"\0\0\0\x0cJXL ",
    b"\0\0\0\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",
    b"\0\0\1\0",  # ICO
    b"8BPS",
    b"qoif",
    b"#?RADIANCE",
    b"v/1\1",  # OpenEXR
)
# Portable any map: the kind, then white space, and a comment or the width.
NETPBM = re.compile(rb"P[1-6fF]\s+[#0-9]|P7\s")
# Kinds within the ISO base media format (HEIC, AVIF) that are pictures: ISO/IEC 23008-12 and the AVIF specification.
PICTURE_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis")

ARCHIVE_STARTS = (
    b"PK\3\4",
    b"PK\5\6",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x1f\x8b",
    b"\x1f\x9d",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
)


def kind_of_content(start: bytes) -> Content:
    """What a file that begins with these bytes is. `IMAGE` says what it is, not that it can be read here.

    Args:
        start: the first `CONTENT_BYTES` bytes, or fewer where the file is shorter.
    """
    if start.startswith(IMAGE_STARTS) or _is_bitmap(start) or NETPBM.match(start):
        return Content.IMAGE
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return Content.IMAGE
    if start[4:8] == b"ftyp" and start[8:12] in PICTURE_BRANDS:
        return Content.IMAGE
    if b"%PDF-" in start:
        return Content.PDF
    if start.startswith(ARCHIVE_STARTS) or start[257:262] == b"ustar":
        return Content.ARCHIVE
    return Content.OTHER


def _is_bitmap(start: bytes) -> bool:
    """Two letters are too few to tell a BMP from a text: the size of its second header counts too."""
    return start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)
