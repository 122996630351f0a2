"""Small pictures of whatever image file came, as a browser shows them."""

import io

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.thumbnails import picture_of, thumbnail


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def opened(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "PNG"), ("RGB", "JPEG"), ("CMYK", "TIFF"), ("CMYK", "JPEG"), ("P", "GIF"), ("L", "WEBP"), ("1", "TIFF")],
)
def test_every_kind_of_image_is_made_small_and_keeps_its_shape(mode: str, kind: str) -> None:
    picture = thumbnail(file_of(Image.new("RGB", (900, 300), "white").convert(mode), kind), 320)

    assert opened(picture).format == "JPEG"
    assert opened(picture).size == (320, 107)
    assert opened(picture).convert("L").getpixel((100, 50)) > 250


def test_colors_are_kept() -> None:
    red, green, blue = opened(thumbnail(file_of(Image.new("RGB", (500, 500), (200, 30, 40)), "PNG"), 320)).getpixel(
        (100, 100)
    )

    assert red > 180
    assert max(green, blue) < 60


def test_small_images_keep_every_pixel() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)

    for picture in (picture_of(pixels), thumbnail(file_of(Image.fromarray(pixels), "PNG"), 320)):
        assert opened(picture).format == "PNG"
        assert np.array_equal(np.asarray(opened(picture)), pixels)


def test_an_image_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    picture = thumbnail(file_of(Image.new("RGB", (400, 200)), "JPEG", exif=exif), 320)

    assert opened(picture).size == (160, 320)


def test_transparency_is_laid_on_white_paper() -> None:
    picture = thumbnail(file_of(Image.new("RGBA", (100, 100), (0, 0, 0, 0)), "PNG"), 320)

    assert opened(picture).convert("L").getpixel((50, 50)) > 250


def test_sixteen_bits_become_eight() -> None:
    picture = thumbnail(file_of(Image.fromarray(np.full((20, 20), 65_535, np.uint16)), "PNG"), 320)

    assert opened(picture).getpixel((5, 5)) == 255


@pytest.mark.parametrize("data", [b"", b"no image", file_of(Image.new("RGB", (100, 100)), "PNG")[:60]])
def test_what_is_no_image_says_so(data: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        thumbnail(data, 320)
