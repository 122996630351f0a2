"""Pictures of 9 to 16 bits and of fractions are as light as they are meant to be, at any size."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.images import normalize
from tenfold.trainer.images.decoding import decode
from tenfold.trainer.images.depth import to_bytes
from tests.pictures import file_of, is_seven, seven, shows_seven

SIDES = [28, 40, 63, 64, 120]


def png_of(values: np.ndarray) -> bytes:
    return cv2.imencode(".png", values)[1].tobytes()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("bits", range(8, 17))
def test_few_bits_in_16_are_seen(bits: int, side: int) -> None:
    paper = (2**bits - 1 - seven(side).astype(np.int64) * (2**bits - 1) // 320).astype(np.uint16)
    light = (seven(side).astype(np.int64) * (2**bits - 1) // 255).astype(np.uint16)

    assert shows_seven(png_of(paper))
    assert shows_seven(png_of(light))


@pytest.mark.parametrize("channels", [3, 4])
def test_few_bits_of_color_are_seen(channels: int) -> None:
    values = np.full((60, 60, channels), 1023, np.uint16)
    values[..., :3] -= seven()[..., None].astype(np.uint16) * 3

    assert shows_seven(png_of(values))
    assert shows_seven(cv2.imencode(".tif", values)[1].tobytes())


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("least", "most"), [(0, 1), (0, 255), (-1, 1), (0, 0.2), (0, 4095), (-0.42, 2.8), (-0.02, 1.03), (-1000, 3000)]
)
def test_fractions_of_the_usual_ranges_are_seen(least: float, most: float, side: int) -> None:
    values = (most - seven(side) * ((most - least) / 255)).astype(np.float32)

    assert shows_seven(file_of(Image.fromarray(values), "TIFF"))


def test_fractions_of_color_and_of_double_precision_are_seen() -> None:
    values = 1 - seven().astype(np.float64) / 255

    for kind in (values, np.dstack([values.astype(np.float32)] * 3)):
        assert shows_seven(cv2.imencode(".tif", kind)[1].tobytes())


def test_what_is_no_number_does_not_hide_the_rest() -> None:
    values = (seven() / 255).astype(np.float32)
    values[0, :5] = [np.nan, np.inf, -np.inf, np.nan, np.nan]

    assert is_seven(to_bytes(values))


@pytest.mark.parametrize("side", [28, 64, 300])
@pytest.mark.parametrize("level", [60, 500])
def test_noise_far_down_in_16_bits_is_no_ink(level: int, side: int) -> None:
    noise = np.random.default_rng(1).normal(level, level / 3, (side, side)).clip(0).astype(np.uint16)

    assert normalize(decode(png_of(noise))).blank


def test_an_empty_sheet_of_12_bits_is_blank() -> None:
    sheet = np.random.default_rng(1).normal(3800, 20, (100, 100)).astype(np.uint16)

    assert normalize(decode(png_of(sheet))).blank


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_the_order_of_bytes_changes_nothing(mode: str) -> None:
    values = 4095 - seven().astype(np.uint16) * 12
    packed = io.BytesIO()
    Image.frombytes(mode, (60, 60), values.astype("<u2" if mode == "I;16" else ">u2").tobytes()).save(packed, "TIFF")

    assert shows_seven(packed.getvalue())
