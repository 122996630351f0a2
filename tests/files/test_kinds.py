"""A file's kind is told from its first bytes, whatever it is called."""

import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from tenfold.files.kinds import START_BYTES, is_readable_image, kind_of_file, may_have_pages

PICTURE = Image.fromarray(np.add.outer(np.arange(12), np.arange(10)).astype(np.uint8) * 11)

# By the name that Pillow gives the format.
READ = {
    "PNG": "PNG image",
    "JPEG": "JPEG image",
    "GIF": "GIF image",
    "BMP": "BMP image",
    "TIFF": "TIFF image",
    "WEBP": "WebP image",
    "AVIF": "AVIF image",
    "JPEG2000": "JPEG 2000 image",
    "PPM": "PNM (PGM, PPM, PBM) image",
    "ICO": "icon image",
    "PDF": "PDF document",
}

UNREAD = {
    "TGA image": bytes([0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0, 28, 0, 8, 0]),
    "JPEG XL image": b"\xff\x0a\x00\x10",
    "Photoshop image (PSD)": b"8BPS\0\1",
    "SVG drawing, not a picture of pixels": b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "PostScript file": b"%!PS-Adobe-3.0",
    "camera's raw image": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
    "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "7-Zip archive": b"7z\xbc\xaf\x27\x1c\0\4",
    "RAR archive": b"Rar!\x1a\x07\x01\0",
    "gzip compressed file": b"\x1f\x8b\x08\0",
    "part of a split zip archive": b"PK\x07\x08PK\x03\x04",
    "HDF5 file (.h5, .hdf5, MATLAB 7.3)": b"\x89HDF\r\n\x1a\n",
    "MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64",
    "Parquet file": b"PAR1\x15\x04",
    "NumPy array (.npy)": b"\x93NUMPY\x01\0",
    "IDX file": b"\0\0\x08\x03\0\0\xea\x60\0\0\0\x1c\0\0\0\x1c",
    "Python pickle": pickle.dumps({"x_train": [1, 2]}),
    "SQLite database": b"SQLite format 3\0",
    "HTML page, not a picture": b"\n<!DOCTYPE html><html><title>404</title>",
    "JSON file": b'{"digit": 7}',
    "text file": b"Dear sir or madam",
    "macOS attributes file (._name), not the picture itself": b"\0\x05\x16\x07\0\2\0\0",
}


def saved(format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    PICTURE.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format", READ)
def test_what_is_read_is_known_by_name(format: str) -> None:
    start = saved(format)[:START_BYTES]

    kind = kind_of_file(start)

    assert kind is not None
    assert (kind.name, kind.readable) == (READ[format], True)
    assert is_readable_image(start)


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_known_by_name_too(name: str) -> None:
    kind = kind_of_file(UNREAD[name])

    assert kind is not None
    assert (kind.name, kind.readable) == (name, False)


def test_bigtiff_and_heic_are_images() -> None:
    assert is_readable_image(b"II+\0\x08\0\0\0")
    assert is_readable_image(b"MM\0+\0\x08\0\0")
    assert is_readable_image(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic")


def test_the_generic_brand_is_avif_where_that_is_named_too() -> None:
    kind = kind_of_file(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif")

    assert kind is not None
    assert kind.name == "AVIF image"


def test_archives_are_known() -> None:
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("7.png", saved("PNG"))
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("7.png"))

    kinds = [kind_of_file(file.getvalue()[:START_BYTES]) for file in (zipped, tarred)]

    assert [kind and kind.name for kind in kinds] == ["zip archive", "tar archive"]


@pytest.mark.parametrize("noise", [b"", b"\0" * 64, bytes(range(255, 127, -1)), b"BM", b"P5", b"\0\0\2\0"])
def test_what_is_like_nothing_has_no_kind(noise: bytes) -> None:
    kind = kind_of_file(noise)

    assert kind is None or kind.group == "text"


def test_a_message_can_name_any_kind() -> None:
    said = [kind.with_article for data in UNREAD.values() if (kind := kind_of_file(data))]

    assert "an HTML page, not a picture" in said
    assert "a video" in said


def test_most_files_are_known_to_have_one_page() -> None:
    others = [Image.new("L", PICTURE.size)]

    assert not any(may_have_pages(saved(format)) for format in ("PNG", "JPEG", "BMP", "WEBP", "PPM", "ICO"))
    assert may_have_pages(saved("TIFF"))
    assert may_have_pages(saved("PDF"))
    for format in ("PNG", "GIF", "WEBP", "TIFF"):
        assert may_have_pages(saved(format, save_all=True, append_images=others))
