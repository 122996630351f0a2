"""Decodes the names of a zip's members, which can be in one of several encodings.

The same bytes always give the same name, whatever else is in the archive, so that the classes of an import and the
folders of a classification agree.
"""

import re
import struct
import unicodedata
import zlib
from functools import lru_cache

NAME_IS_UTF8 = 0x800
EXTRA = struct.Struct("<2H")
EXTRA_UNICODE_NAME = 0x7075

# Unicode blocks of Japanese text: CJK punctuation and kana, kanji, half-width and full-width forms.
JAPANESE_BLOCKS = ((0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))
HALF_WIDTH_BACKSLASH = re.compile(r"[\uff61-\uff9f]\\")

# Replaces a backslash that is half of a character in an unknown encoding, not a separator.
HALF_CHARACTER = "\N{FULLWIDTH REVERSE SOLIDUS}"


def decode_zip_name(stored: bytes, flags: int, extra: bytes) -> str:
    """The name up to its first zero byte; invalid UTF-8 in names flagged as UTF-8 becomes �.

    Without the UTF-8 flag the specified encoding is code page 437 (APPNOTE.TXT, appendix D). In practice it is, in this
    order: Info-ZIP's extra field with the name in UTF-8; UTF-8 if the bytes are valid; code page 932 for each part
    between slashes that is Japanese in it and unlikely in a Western language; code page 437.

    Args:
        stored: the name's bytes in the central directory.
        flags: the member's general purpose bit flag.
        extra: the member's extra fields in the central directory.
    """
    if stored.isascii():
        name = stored.decode("ascii")
    elif flags & NAME_IS_UTF8:
        name = stored.decode("utf-8", "replace")
    else:
        name = _unicode_name(stored, extra) or _utf8(stored) or "/".join(map(_decode_part, stored.split(b"/")))
    return name.partition("\0")[0]


def extra_field(extra: bytes, wanted: int) -> bytes:
    """The content of the first extra field with this ID; empty if there is none."""
    position = 0
    while position + EXTRA.size <= len(extra):
        kind, length = EXTRA.unpack_from(extra, position)
        position += EXTRA.size
        if kind == wanted:
            return extra[position : position + length]
        position += length
    return b""


def _unicode_name(stored: bytes, extra: bytes) -> str | None:
    """APPNOTE.TXT, 4.6.9: a version, the checksum of the stored name, and the name."""
    field = extra_field(extra, EXTRA_UNICODE_NAME)
    if field[:1] != b"\1" or int.from_bytes(field[1:5], "little") != zlib.crc32(stored):
        return None
    return field[5:].decode("utf-8", "replace")


def _utf8(stored: bytes) -> str | None:
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        return None


@lru_cache(4096)
def _decode_part(stored: bytes) -> str:
    """Decode one part of a path. In code page 932 the second byte of a character can be a backslash, never a slash."""
    western = stored.decode("cp437")
    if stored.isascii() or all(map(_is_western, western.split("\\"))):
        return western
    try:
        japanese = stored.decode("cp932")
    except UnicodeDecodeError:
        japanese = ""
    # In other encodings a backslash can be the second byte of a character whose first is a half-width letter here.
    if japanese and not HALF_WIDTH_BACKSLASH.search(japanese) and all(map(_is_japanese, japanese)):
        return japanese
    return "".join(
        HALF_CHARACTER if char == "\\" and at and not western[at - 1].isascii() else char
        for at, char in enumerate(western)
    )


def _is_western(text: str) -> bool:
    """Whether this looks Western: Latin letters, with at most as many accented as plain ones."""
    accented = [char for char in text if not char.isascii()]
    plain = sum(char.isalpha() for char in text.rpartition(".")[0] or text if char.isascii())
    return len(accented) <= plain and all("LATIN" in unicodedata.name(char, "") for char in accented)


def _is_japanese(char: str) -> bool:
    return char.isascii() or any(first <= ord(char) <= last for first, last in JAPANESE_BLOCKS)
