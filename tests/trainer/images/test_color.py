"""Reading pictures with their colors, and making color inputs of them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.samples import png
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.decoding import decode
from tenfold.trainer.images.preparing import prepare, prepare_all, steps_of
from tenfold.trainer.images.reading import page_count, read_image, read_pages
from tenfold.trainer.images.thumbnails import picture_of
from tenfold.trainer.input_spec import InputSpec

COLOR = InputSpec("resize", 12, 16, 3)


def photo() -> Bytes:
    """A smooth color gradient of 24×32 pixels: red to the right, green downward, half blue."""
    red, green = np.meshgrid(np.linspace(0, 255, 32), np.linspace(0, 255, 24))
    return np.stack([red, green, np.full_like(red, 128)], axis=-1).astype(np.uint8)


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)  # type: ignore[arg-type]
    return data.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("PNG", {"compress_level": 0, "exif": Image.Exif()}),
        ("TIFF", {}),
        ("BMP", {}),
        ("WEBP", {"lossless": True}),
        ("PPM", {}),
    ],
)
def test_a_lossless_file_keeps_its_colors(kind: str, options: dict[str, object]) -> None:
    data = file_of(Image.fromarray(photo()), kind, **options)

    assert (decode(data, color=True) == photo()).all()
    assert (read_image(data, color=True) == photo()).all()


@pytest.mark.parametrize("kind", ["JPEG", "PDF"])
def test_a_lossy_file_nearly_keeps_its_colors(kind: str) -> None:
    large = Image.fromarray(photo()).resize((320, 240))
    read = decode(file_of(large, kind), color=True)
    shown = Image.fromarray(read).resize((32, 24))

    assert np.abs(np.asarray(shown).astype(int) - photo()).mean() < 8


@pytest.mark.parametrize("mode", ["L", "1", "LA", "I;16"])
def test_a_gray_file_stays_gray(mode: str) -> None:
    gray = Image.fromarray(photo()[..., 0])
    data = file_of(
        Image.fromarray(photo()[..., 0].astype(np.uint16) * 257) if mode == "I;16" else gray.convert(mode), "PNG"
    )

    assert decode(data, color=True).shape == (24, 32)


def test_16_bits_a_channel_keep_their_colors() -> None:
    import cv2

    deep = cv2.imencode(".png", photo()[..., ::-1].astype(np.uint16) * 257)[1].tobytes()

    assert (decode(deep, color=True) == photo()).all()


def test_a_rotated_photo_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file_of(Image.fromarray(photo()).transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)

    assert (decode(data, color=True) == photo()).all()


@pytest.mark.parametrize(("drawn", "paper"), [(40, 255), (250, 0)], ids=["dark ink", "white ink"])
def test_a_transparent_picture_is_laid_on_paper_that_shows_it(drawn: int, paper: int) -> None:
    pixels = np.full((20, 20, 4), (drawn, drawn, drawn, 0), np.uint8)
    pixels[5:10, 5:10, 3] = 255

    read = decode(file_of(Image.fromarray(pixels), "PNG"), color=True)
    assert read[0, 0].tolist() == [paper] * 3
    assert read[6, 6].tolist() == [drawn] * 3


def test_pages_are_read_in_color() -> None:
    pages = [Image.fromarray(photo()), Image.fromarray(255 - photo())]
    data = file_of(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    read = list(read_pages(data, range(page_count(data)), color=True))

    assert [np.asarray(page).tolist() for page in read] == [np.asarray(page).tolist() for page in pages]


def test_a_color_input_is_resized_and_a_gray_picture_has_equal_channels() -> None:
    colored, gray = prepare_all([photo(), photo()[..., 0]], COLOR)
    assert not isinstance(colored, ImageUnreadable)
    assert not isinstance(gray, ImageUnreadable)

    assert colored.pixels.shape == gray.pixels.shape == (12, 16, 3)
    assert colored.method == "resized"
    assert (gray.pixels == gray.pixels[..., :1]).all()


def test_without_preprocessing_only_the_exact_size_and_color_are_taken() -> None:
    exact = InputSpec("none", 24, 32, 3)
    gray = InputSpec("none", 24, 32)

    assert (prepare(photo(), exact).pixels == photo()).all()
    assert prepare(photo()[..., :1].repeat(3, axis=2), gray).pixels.shape == (24, 32)
    for picture, spec in ((photo()[:20], exact), (photo()[..., 0], exact), (photo(), gray)):
        with pytest.raises(ImageUnreadable, match="the model takes only 24×32") as raised:
            prepare(picture, spec)
        assert raised.value.kind == "wrong_size"


def test_steps_are_shown_in_color() -> None:
    (first, original), (last, small) = steps_of(photo(), COLOR)

    assert (first, last) == ("original", "resized")
    assert original.shape == (24, 32, 3)
    assert small.shape == (12, 16, 3)


@pytest.mark.parametrize("side", [8, 20, 28, 48, 128])
def test_a_digit_that_was_normalized_to_a_size_is_taken_as_it_is(side: int, mnist: object) -> None:
    spec = InputSpec("digit", side, side)
    digits = mnist.test_images[:100]  # type: ignore[attr-defined]
    large = [np.pad(255 - digit, 20, constant_values=255) for digit in digits]
    first = [image.pixels for image in prepare_all(large, spec) if not isinstance(image, ImageUnreadable)]
    again = [image for image in prepare_all(first, spec) if not isinstance(image, ImageUnreadable)]

    assert sum(image.method == "as-is" for image in again) >= 95


def test_pictures_for_pages_are_in_color(tmp_path: Path) -> None:
    for data in (picture_of(photo()), png(photo())):
        assert (decode(data, color=True) == photo()).all()
