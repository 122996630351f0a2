"""What is wrong beside the pixels keeps no picture from being read, nor from being turned as it says."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.decoding import decode
from tests.pictures import file_of, png_chunk, seven, shows_seven

PAPER = Image.fromarray(255 - seven())
# As the camera held it: to be turned 90° clockwise.
HELD = PAPER.transpose(Image.Transpose.ROTATE_90)
PNG = file_of(PAPER)

ASCII, SHORT, RATIONAL, UNDEFINED = 2, 3, 5, 7
ORIENTATION, DATE, EXPOSURE, EXIF_DIRECTORY, GPS_DIRECTORY = 0x0112, 0x0132, 0x829A, 0x8769, 0x8825

# Entries that are wrong: tag, type, count, value.
WRONG = {
    "rational as text": (DATE, RATIONAL, 1, 8),
    "text as number": (DATE, SHORT, 1, 70_000),
    "beyond the end": (DATE, ASCII, 20, 2**31),
    "count of billions": (DATE, ASCII, 2**32 - 1, 8),
    "of an unknown type": (DATE, 13, 1, 0),
    "undefined": (EXPOSURE, UNDEFINED, 4, 2**32 - 1),
    "directory beyond the end": (EXIF_DIRECTORY, 4, 1, 2**30),
    "directory in itself": (GPS_DIRECTORY, 4, 1, 8),
}


def exif(*entries: tuple[int, int, int, int], order: str = "<", next_directory: int = 0) -> bytes:
    packed = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return (
        b"Exif\0\0" + start + struct.pack(f"{order}H", len(entries)) + packed + struct.pack(f"{order}I", next_directory)
    )


def turn(order: str = "<") -> tuple[int, int, int, int]:
    return (ORIENTATION, SHORT, 1, 6 if order == "<" else 6 << 16)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_tag_beside_it_hides_no_orientation(wrong: tuple[int, int, int, int], format: str) -> None:
    entries = exif(turn(), wrong)

    assert shows_seven(
        file_of(HELD.convert("RGB"), format, exif=entries, **({"quality": 95} if format != "PNG" else {}))
    )


def test_a_wrong_tag_without_orientation_turns_nothing() -> None:
    assert shows_seven(file_of(PAPER, "JPEG", exif=exif(*WRONG.values())))


@pytest.mark.parametrize("order", "<>")
def test_directories_that_lead_in_a_circle_come_to_an_end(order: str) -> None:
    assert shows_seven(file_of(HELD, "JPEG", exif=exif(turn(order), order=order, next_directory=8)))


@pytest.mark.parametrize("entry", [(ORIENTATION, SHORT, 1, 0), (ORIENTATION, SHORT, 1, 9), (ORIENTATION, ASCII, 2, 54)])
def test_what_is_no_orientation_turns_nothing(entry: tuple[int, int, int, int]) -> None:
    assert shows_seven(file_of(PAPER, "JPEG", exif=exif(entry)))


def test_of_two_orientations_the_first_counts() -> None:
    assert shows_seven(file_of(HELD, "JPEG", exif=exif((ORIENTATION, SHORT, 2, 6 | 1 << 16))))


def test_a_wrong_tag_of_a_tiff_hides_neither_page_nor_orientation() -> None:
    assert shows_seven(file_of(HELD, "TIFF", tiffinfo={ORIENTATION: 6, GPS_DIRECTORY: 2**30}))


BESIDE = {
    "text with a wrong checksum": png_chunk(b"tEXt", b"Title\0a seven", checksum=1),
    "international text that is cut": png_chunk(b"iTXt", b"Title\0\1"),
    "packed text that is cut": png_chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"x" * 1000)[:9]),
    "text of two megabytes": png_chunk(b"tEXt", b"Title\0" + b"x" * 2**21),
    "time with a wrong checksum": png_chunk(b"tIME", b"\x07\xea\1\1\0\0\0", checksum=1),
    "gamma that is short": png_chunk(b"gAMA", b"\0\0"),
    "profile that is cut": png_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(b"x" * 1000)[:9]),
    "transparency that is short": png_chunk(b"tRNS", b"\0"),
    "EXIF with a wrong checksum": png_chunk(b"eXIf", exif(turn())[6:], checksum=1),
    "something private": png_chunk(b"vpAg", bytes(9)),
}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("place", [33, -12], ids=["before the pixels", "behind"])
def test_a_png_is_read_whatever_is_beside_its_pixels(beside: bytes, place: int) -> None:
    assert shows_seven(PNG[:place] + beside + PNG[place:])


def test_a_png_may_end_without_saying_so_or_go_on_behind_its_end() -> None:
    assert shows_seven(PNG[:-12])
    assert shows_seven(PNG + b"more bytes")


def test_pixels_with_a_wrong_checksum_are_read_where_their_own_is_right() -> None:
    at = PNG.index(b"IDAT")
    length = int.from_bytes(PNG[at - 4 : at], "big")
    end = at + 4 + length
    wrong_checksum = PNG[:end] + b"\0\0\0\0" + PNG[end + 4 :]

    assert shows_seven(wrong_checksum)


def test_changed_pixels_are_refused() -> None:
    """Though they can be unpacked: packed without compression, only checksums tell."""
    rows = b"".join(b"\0" + bytes(row) for row in 255 - seven())
    packed = bytearray(zlib.compress(rows, 0))
    packed[2000] ^= 0xFF
    changed = PNG[:33] + png_chunk(b"IDAT", bytes(packed), checksum=1) + PNG[-12:]

    with pytest.raises(ImageUnreadable, match="checksum of its pixels"):
        decode(changed)


def test_a_png_cut_within_its_pixels_is_refused() -> None:
    with pytest.raises(ImageUnreadable, match="truncated"):
        decode(PNG[: len(PNG) // 2])


def test_a_packed_raw_profile_turns_a_png() -> None:
    text, held = PngImagePlugin.PngInfo(), io.BytesIO()
    block = exif(turn())
    text.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n", zip=True)
    HELD.save(held, "PNG", pnginfo=text)

    assert np.array_equal(decode(held.getvalue()), np.asarray(PAPER))
