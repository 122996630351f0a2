"""Kinds of image files beyond PNG and JPEG: read, or refused by their name and with what to do."""

import struct
import subprocess
import sys

import pytest
from PIL import Image

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images import pdfs
from tenfold.trainer.images.decoding import decode
from tests.hostile.images import HEIC
from tests.pictures import file_of, seven, shows_seven

PAPER = Image.fromarray(255 - seven()).convert("RGB")


@pytest.mark.parametrize("format", ["AVIF", "JPEG2000", "PPM", "ICO", "PDF", "BMP", "MPO"])
def test_a_seven_is_seen_in_it(format: str) -> None:
    assert shows_seven(file_of(PAPER, format))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I"])
def test_every_pnm_is_read(mode: str) -> None:
    assert shows_seven(file_of(PAPER.convert("L").convert(mode), "PPM"))


def test_heic_is_read() -> None:
    picture = decode(HEIC.read_bytes())

    assert picture.shape == (40, 40)
    assert picture[15, 20] < 60
    assert picture[15, 5] > 200


@pytest.mark.parametrize("large", [True, False])
def test_bigtiff_is_read(large: bool) -> None:
    assert shows_seven(file_of(PAPER, "TIFF", big_tiff=large))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\x0a\0\0", "JPEG XL image; save it as PNG"),
        (b"8BPS\0\1", r"Photoshop image \(PSD\); save it as PNG"),
        (bytes([0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0, 28, 0, 8, 0]), "TGA image; .*save it as PNG"),
        (b"PK\3\4" + bytes(40), "zip archive"),
        (b"%PDF-1.7\nno pages", "PDF that can't be read"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(ImageUnreadable, match=reason):
        decode(data)


def test_a_tiff_packed_by_what_is_not_read_is_named() -> None:
    data = file_of(PAPER, "TIFF")
    raw, webp = (struct.pack("<HHLL", 259, 3, 1, number) for number in (1, 50001))
    assert data.count(raw) == 1

    with pytest.raises(ImageUnreadable, match="with WebP compression, which is not supported; save it with LZW"):
        decode(data.replace(raw, webp))


@pytest.mark.parametrize(("package", "format"), [("pi_heif", "HEIF"), ("pypdfium2", "PDF")])
def test_a_package_that_is_missing_is_named(package: str, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if format == "HEIF":
        monkeypatch.setitem(sys.modules, "pi_heif", None)
    else:
        missing = subprocess.CompletedProcess([], pdfs.NO_PDFIUM, b"", b"")
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: missing)

    with pytest.raises(ImageUnreadable, match=package.replace("_", ".")):
        decode(HEIC.read_bytes() if format == "HEIF" else file_of(PAPER, "PDF"))
