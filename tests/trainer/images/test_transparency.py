"""What is drawn on a transparent ground is seen, whatever its color."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images import normalize
from tenfold.trainer.images.decoding import decode
from tests.pictures import file_of, is_seven, seven, shows_seven

COLORS = {"white": (255, 255, 255), "black": (0, 0, 0), "yellow": (255, 230, 0), "gray": (128, 128, 128)}


def drawn(color: tuple[int, int, int]) -> Image.Image:
    """Strokes of this color on a ground that is transparent, as a drawing program saves them."""
    image = Image.new("RGB", (60, 60), color)
    image.putalpha(Image.fromarray(seven()))
    return image


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("color", COLORS)
def test_strokes_of_any_color_are_seen(color: str, format: str) -> None:
    assert shows_seven(file_of(drawn(COLORS[color]), format))


@pytest.mark.parametrize("color", [0, 255])
def test_gray_with_opacity_is_seen(color: int) -> None:
    image = Image.merge("LA", [Image.new("L", (60, 60), color), Image.fromarray(seven())])

    assert shows_seven(file_of(image))


def test_a_palette_with_a_transparent_color_is_seen() -> None:
    strokes = Image.fromarray((seven() > 127).astype(np.uint8)).convert("P")
    strokes.putpalette([255, 255, 255] * 2)

    assert shows_seven(file_of(strokes, transparency=0))
    assert shows_seven(file_of(strokes, "GIF", transparency=0))


def test_opacity_of_a_tiff_that_does_not_say_what_its_channel_is_for() -> None:
    opaque = drawn((255, 255, 255))
    padded = Image.fromarray(255 - seven()).convert("RGBA")
    padded.putalpha(0)

    for image in (opaque, padded):
        said, unsaid = (struct.pack("<HHLH", 338, 3, 1, use) for use in (2, 0))
        data = file_of(image, "TIFF")
        assert data.count(said) == 1
        assert shows_seven(data.replace(said, unsaid))


def test_strokes_that_fade_from_black_to_white_are_seen() -> None:
    fading = Image.fromarray(np.linspace(0, 255, 60).astype(np.uint8)[:, None].repeat(60, axis=1)).convert("RGB")
    fading.putalpha(Image.fromarray(seven()))

    assert shows_seven(file_of(fading))


@pytest.mark.parametrize("ink", ["dark", "light"])
def test_a_round_label_shows_what_is_on_it(ink: str) -> None:
    """Its rim is paper: the color within tells the ink, not the outline of the label."""
    rows, columns = np.ogrid[:60, :60]
    label = ((rows - 30) ** 2 + (columns - 30) ** 2 < 28**2).astype(np.uint8) * 255
    sheet = Image.fromarray(255 - seven() if ink == "dark" else seven()).convert("RGB")
    sheet.putalpha(Image.fromarray(label))

    assert shows_seven(file_of(sheet))


def test_what_is_transparent_all_over_is_blank() -> None:
    hidden = Image.fromarray(seven()).convert("RGB")
    hidden.putalpha(0)

    assert normalize(decode(file_of(hidden))).blank


@pytest.mark.parametrize("paper", [255, 40])
def test_an_empty_sheet_with_transparent_corners_is_blank(paper: int) -> None:
    turned = Image.new("L", (60, 60), paper).convert("RGBA").rotate(4, expand=True)

    assert normalize(decode(file_of(turned))).blank


def test_16_bits_with_opacity_are_seen() -> None:
    values: Bytes = np.dstack([np.full((60, 60, 3), 1023, np.uint16), seven().astype(np.uint16) * 4])
    data = cv2.imencode(".png", values)[1].tobytes()

    assert is_seven(decode(data))
