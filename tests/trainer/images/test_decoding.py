"""Fast decoding gives what `read_image` gives, image or error, whatever the file."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, PngImagePlugin

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images import decoding, pillow_files, read_image
from tenfold.trainer.images.decoding import decode

SIDES = st.integers(1, 40)

SAVED_AS = [
    *[("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
    ("PNG", "RGB", {"transparency": (0, 0, 0)}),
    ("PNG", "L", {"transparency": 255}),
    ("PNG", "L", {"dpi": (300, 300)}),
    *[("JPEG", mode, {}) for mode in ("L", "RGB", "CMYK")],
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "RGB", {"subsampling": 0, "quality": 98}),
    ("JPEG", "L", {"restart_marker_blocks": 1}),
    ("JPEG", "L", {"comment": "scanned"}),
    *[(format, "RGB", {}) for format in ("GIF", "BMP", "TIFF", "WEBP")],
]


def file_of(image: Image.Image, format: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, format, **options)
    return data.getvalue()


def image_in(mode: str, colors: Bytes) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(colors[..., 0].astype(np.uint16) * 257)
    return Image.fromarray(colors).convert(mode)


def outcome(read: Any, data: bytes) -> object:
    try:
        image = read(data)
    except ImageUnreadable as error:
        return str(error)
    assert image.dtype == np.uint8
    return image.tolist()


def alike(outcome: object, expected: object, *, by: int) -> bool:
    """Whether two outcomes are the same, shades of gray within so many of 255."""
    if isinstance(outcome, str) or isinstance(expected, str):
        return outcome == expected
    difference = np.subtract(outcome, expected, dtype=np.int64)
    return bool((np.abs(difference) <= by).all())


@st.composite
def colors(draw: st.DrawFn) -> Bytes:
    return draw(arrays(np.uint8, (draw(SIDES), draw(SIDES), 3)))


@pytest.mark.parametrize(("format", "mode", "options"), SAVED_AS)
@given(colors=colors())
def test_it_is_the_same_image_in_every_format_and_mode(
    format: str, mode: str, options: dict[str, Any], colors: Bytes
) -> None:
    data = file_of(image_in(mode, colors), format, **options)

    assert alike(outcome(decode, data), outcome(read_image, data), by=(format, mode) == ("PNG", "RGB"))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_shades_of_gray_are_spread_as_pillow_spreads_them(bits: int) -> None:
    data = file_of(Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4) % 2**bits), "PNG", bits=bits)

    assert outcome(decode, data) == outcome(read_image, data)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright(format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = file_of(Image.fromarray(np.arange(16 * 24, dtype=np.uint8).reshape(16, 24)), format, exif=exif)

    assert outcome(decode, data) == outcome(read_image, data)


@pytest.mark.parametrize("name", ["Raw profile type exif", "Comment", "date:create"])
def test_texts_in_a_png_change_what_they_change_for_pillow(name: str) -> None:
    profile = Image.Exif()
    profile[0x0112] = 6
    raw = b"Exif\0\0" + profile.tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text(name, f"\nexif\n{len(raw):8}\n{raw.hex()}\n")
    data = file_of(Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)), "PNG", pnginfo=text)

    assert outcome(decode, data) == outcome(read_image, data)


@pytest.mark.parametrize(
    ("format", "mode", "options"),
    [
        ("PNG", "L", {}),
        ("PNG", "RGB", {}),
        ("JPEG", "L", {}),
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True}),
    ],
)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4),
    keep=st.floats(0, 1),
)
def test_a_damaged_file_is_read_or_refused_alike(
    format: str, mode: str, options: dict[str, Any], changes: list[tuple[float, int]], keep: float
) -> None:
    sheet = np.random.default_rng(1).integers(0, 256, (24, 30, 3), np.uint8)
    data = bytearray(file_of(image_in(mode, sheet), format, **options))
    for place, change in changes:
        data[int(place * len(data))] ^= change
    damaged = bytes(data if changes else data[: int(keep * len(data))])

    assert alike(outcome(decode, damaged), outcome(read_image, damaged), by=(format, mode) == ("PNG", "RGB"))


@given(data=st.binary(max_size=200), start=st.sampled_from([b"", decoding.PNG_SIGNATURE, decoding.JPEG_START]))
def test_any_bytes_are_refused_alike(data: bytes, start: bytes) -> None:
    assert outcome(decode, start + data) == outcome(read_image, start + data)


@pytest.mark.parametrize(("format", "mode"), [("PNG", "L"), ("PNG", "RGB"), ("JPEG", "L"), ("JPEG", "RGB")])
def test_the_common_files_do_not_wait_for_pillow(format: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = file_of(Image.new(mode, (28, 28)), format)
    monkeypatch.setattr(decoding, "read_image", lambda data: pytest.fail("was left to Pillow"))

    assert decode(data).shape == (28, 28)


@pytest.mark.parametrize(
    ("format", "mode"),
    [("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "I;16"), ("PNG", "1"), ("PNG", "P"), ("JPEG", "RGB")],
)
def test_an_image_of_more_pixels_than_are_needed_is_halved(
    format: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By each decoder, and upright."""
    columns = np.linspace(0, 255, 64).astype(np.uint8)
    whole = np.broadcast_to(columns[None, :, None], (32, 64, 3)).copy()
    exif = Image.Exif()
    exif[0x0112] = 6
    plain, turned = (file_of(image_in(mode, whole), format, **options) for options in ({}, {"exif": exif}))
    expected = read_image(plain).reshape(16, 2, 32, 2).mean(axis=(1, 3))
    for module in (decoding, pillow_files):
        monkeypatch.setattr(module, "MAX_WHOLE_PIXELS", 1000)

    for read in (decode, read_image):
        assert np.abs(read(plain) - expected).max() <= (130 if mode in ("1", "P") else 9)
        assert np.abs(read(turned) - np.rot90(expected, -1)).max() <= (130 if mode in ("1", "P") else 9)
