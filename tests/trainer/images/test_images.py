"""Images as people bring them, brought to MNIST's form."""

import io
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from benchmarks.hard_digits import RENDERINGS, Rendering
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images import BOX, CENTER, SIDE, normalize, read_image
from tenfold.trainer.images.normalization.slant import MAX_SLANT, slant

NEXT_PIXELS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
SHEET = np.array([[0, 85], [170, 255]], np.uint8)


def file_of(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, format, **options)
    return data.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "I;16"])
def test_gray_is_the_same_gray_in_every_mode(mode: str) -> None:
    image = Image.fromarray(SHEET.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(SHEET).convert(mode)

    assert image.mode == mode
    assert read_image(file_of(image)).tolist() == SHEET.tolist()


def test_black_and_white_is_read() -> None:
    assert read_image(file_of(Image.fromarray(SHEET > 100))).tolist() == [[0, 0], [255, 255]]


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_gray_is_the_same_gray_in_every_format(format: str, options: dict[str, Any]) -> None:
    """Squares of 16×16, so that JPEG has nothing to smear."""
    squares = SHEET.repeat(16, axis=0).repeat(16, axis=1)

    seen = read_image(file_of(Image.fromarray(squares), format, **options))

    assert seen.shape == (32, 32)
    assert np.abs(seen.astype(int) - squares).max() <= 2


def test_ink_for_print_is_read_as_gray() -> None:
    cmyk = Image.fromarray(SHEET).convert("RGB").convert("CMYK")

    assert read_image(file_of(cmyk, "TIFF")).tolist() == SHEET.tolist()


def test_color_is_read_as_its_brightness() -> None:
    yellow, blue = (read_image(file_of(Image.new("RGB", (2, 2), color))) for color in ("yellow", "blue"))

    assert yellow.min() > blue.max()


def test_what_is_transparent_shows_white_paper() -> None:
    clear = Image.new("RGBA", (3, 2), (0, 0, 0, 0))
    half = Image.new("RGBA", (3, 2), (0, 0, 0, 128))

    assert read_image(file_of(clear)).tolist() == [[255] * 3] * 2
    assert read_image(file_of(half)).tolist() == [[127] * 3] * 2


def test_a_palette_s_transparent_color_shows_white_paper() -> None:
    image = Image.fromarray(np.zeros((2, 2), np.uint8)).convert("P")

    assert read_image(file_of(image, transparency=0)).tolist() == [[255, 255], [255, 255]]


def test_a_photo_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned 90° clockwise

    upright = read_image(file_of(Image.fromarray(SHEET), exif=exif))

    assert upright.tolist() == np.rot90(SHEET, -1).tolist()


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, [[0, 85], [170, 255]]),
        (2, [[85, 0], [255, 170]]),
        (3, [[255, 170], [85, 0]]),
        (4, [[170, 255], [0, 85]]),
        (5, [[0, 170], [85, 255]]),
        (6, [[170, 0], [255, 85]]),
        (7, [[255, 85], [170, 0]]),
        (8, [[85, 255], [0, 170]]),
    ],
)
def test_every_way_to_hold_a_camera_is_known(orientation: int, upright: list[list[int]]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    assert read_image(file_of(Image.fromarray(SHEET), exif=exif)).tolist() == upright


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"Dear sir or madam", "it is a text file"),
        (b"<!doctype html><title>404</title>", "is an HTML page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG drawing, not a picture of pixels"),
        (file_of(Image.fromarray(SHEET))[:40], "damaged or truncated"),
        (file_of(Image.new("L", (64, 64)), "JPEG")[:200], "can.t be read"),
        (file_of(Image.new("1", (8000, 7000))), "8000×7000 pixels; the maximum is 50 million"),
        (file_of(Image.new("1", (20_000, 20_000))), "too large"),
    ],
    ids=["empty", "text", "html", "svg", "cut png", "cut jpeg", "56 million pixels", "400 million pixels"],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(ImageUnreadable, match=reason):
        read_image(data)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.binary(max_size=200), st.sampled_from(["PNG", "BMP", "GIF", "JPEG", "TIFF"]))
def test_a_damaged_image_never_raises_anything_else(noise: bytes, format: str) -> None:
    data = file_of(Image.fromarray(SHEET), format)
    with suppress(ImageUnreadable):
        read_image(data[: len(data) // 2] + noise)


def test_the_reason_names_no_object_of_python() -> None:
    with pytest.raises(ImageUnreadable) as unreadable:
        read_image(b"Dear sir or madam")

    assert "0x" not in str(unreadable.value)


def test_every_mnist_image_is_taken_as_it_is(mnist: Dataset) -> None:
    for image in mnist.test_images:
        taken = normalize(image)
        assert taken.method == "as-is"
        assert taken.polarity == "light-on-dark"
        assert taken.pixels is image


def test_a_dark_digit_on_white_paper_becomes_the_light_one(digits: Dataset) -> None:
    """A digit drawn five times as large, in ink on paper with a margin, comes back close to the MNIST original."""
    distances = []
    for image in upright_ones(digits.test_images[:80]):
        large = np.pad(image.repeat(5, axis=0).repeat(5, axis=1), 40)
        paper = (245 - large * (215 / 255)).astype(np.uint8)

        seen = normalize(paper)

        assert (seen.method, seen.polarity) == ("mnist", "dark-on-light")
        distances.append(np.abs(seen.pixels.astype(float) - image).mean() / image.mean())
    assert np.median(distances) < 0.15


def test_a_large_digit_in_a_corner_of_the_paper_comes_back_in_the_middle(digits: Dataset) -> None:
    """Four times as large and off-center; the center of mass may be rounded to the next pixel."""
    there, nearby = [], []
    for image in upright_ones(digits.test_images[:300]):
        large = image.repeat(4, axis=0).repeat(4, axis=1)
        paper = 255 - np.pad(large, ((30, 9), (7, 65)))

        seen = normalize(paper)

        assert seen.polarity == "dark-on-light"
        there.append(likeness(seen.pixels, image))
        nearby.append(max(likeness(np.roll(seen.pixels, by, (0, 1)), image) for by in NEXT_PIXELS))
    assert np.median(there) >= 0.96
    assert np.mean(np.array(there) >= 0.9) >= 0.8
    assert np.mean(np.array(nearby) >= 0.9) >= 0.9


def test_a_light_digit_on_a_dark_board_is_not_inverted(digits: Dataset) -> None:
    for image in digits.test_images[:50]:
        board = (30 + np.pad(image.repeat(4, axis=0).repeat(4, axis=1), 20) * 0.8).astype(np.uint8)

        assert normalize(board).polarity == "light-on-dark"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (300, 200)])
def test_a_blank_sheet_becomes_all_dark(shade: int, shape: tuple[int, int]) -> None:
    assert not normalize(np.full(shape, shade, np.uint8)).pixels.any()


@given(st.integers(0, 255), st.integers(1, 60), st.integers(1, 60))
def test_a_blank_sheet_of_any_gray_and_size_becomes_all_dark(shade: int, height: int, width: int) -> None:
    assert not normalize(np.full((height, width), shade, np.uint8)).pixels.any()


def test_the_grain_of_empty_paper_is_no_ink() -> None:
    grain = np.random.default_rng(1).normal(240, 2, (200, 200)).clip(0, 255).astype(np.uint8)

    assert not normalize(grain).pixels.any()


def test_none_only_resizes() -> None:
    seen = normalize(np.full((56, 56), 200, np.uint8), mode="none")

    assert seen.method == "resized"
    assert seen.pixels.tolist() == [[200] * SIDE] * SIDE


def test_mnist_s_own_images_have_their_center_of_mass_there(mnist: Dataset) -> None:
    weights = mnist.test_images.astype(float)
    for axis in (1, 2):
        profiles = weights.sum(axis=axis)
        centers = profiles @ np.arange(SIDE) / profiles.sum(axis=1)
        assert abs(centers - CENTER).max() <= 0.5


@given(st.data())
def test_the_center_of_mass_is_the_center_of_the_field(data: st.DataObject) -> None:
    """Wherever on the sheet the ink is, as long as the field has room to shift it."""
    height, width = data.draw(st.integers(2, 30)), data.draw(st.integers(2, 30))
    ink = data.draw(arrays(np.bool_, (height, width)).filter(np.any))
    top, left = data.draw(st.integers(20, 60)), data.draw(st.integers(20, 60))
    sheet = np.full((120, 120), 255, np.uint8)
    sheet[top : top + height, left : left + width][ink] = 0

    pixels = normalize(sheet).pixels

    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 <= BOX
    for axis in (0, 1):
        profile = pixels.sum(axis=1 - axis, dtype=float)
        center = profile @ np.arange(SIDE) / profile.sum()
        touches_an_edge = profile[0] > 0 or profile[-1] > 0
        assert abs(center - CENTER) <= 0.5 + 1e-9 or touches_an_edge


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)), st.sampled_from(["auto", "none"]))
def test_any_sheet_becomes_28_by_28(gray: Bytes, mode: Any) -> None:
    seen = normalize(gray, mode=mode)

    assert seen.pixels.shape == (SIDE, SIDE)
    assert seen.pixels.dtype == np.uint8


@pytest.mark.parametrize("rendering", RENDERINGS.values(), ids=RENDERINGS)
def test_a_hard_case_comes_back_as_the_digit_that_it_is(mnist: Dataset, rendering: Rendering) -> None:
    """The nearest of 2,000 training digits, by correlation, has the right label nearly as often as for clean ones."""
    known = unit(mnist.train_images[:2000])
    rng = np.random.default_rng(1)
    clean = mnist.test_images[:200]
    seen = np.stack([normalize(rendering(digit, rng)).pixels for digit in clean])

    accuracy, best = (
        np.mean(mnist.train_labels[(unit(images) @ known.T).argmax(axis=1)] == mnist.test_labels[:200])
        for images in (seen, clean)
    )

    assert accuracy >= best - 0.15


@pytest.mark.parametrize("light", [True, False])
def test_bits_that_touch_every_edge_vote_right(digits: Dataset, light: bool) -> None:
    found = []
    for image in digits.test_images[:200]:
        rows, columns = np.flatnonzero(image.max(axis=1) > 64), np.flatnonzero(image.max(axis=0) > 64)
        bits = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] > 64
        found.append(normalize(((bits == light) * 255).astype(np.uint8)).polarity)

    assert np.mean([polarity == ("light-on-dark" if light else "dark-on-light") for polarity in found]) >= 0.97


def test_the_polarity_can_be_told(digits: Dataset) -> None:
    image = digits.test_images[0]

    assert normalize(255 - image, polarity="dark-on-light").pixels.any()
    assert normalize(image, polarity="dark-on-light").polarity == "dark-on-light"
    assert normalize(255 - image, polarity="light-on-dark").polarity == "light-on-dark"


def unit(images: Bytes) -> Any:
    flat = images.reshape(len(images), -1) - images.reshape(len(images), -1).mean(axis=1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def likeness(one: Bytes, other: Bytes) -> float:
    """The correlation of two images' pixels: 1 for the same."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def upright_ones(images: Bytes) -> list[Bytes]:
    """Those that no slant is taken from."""
    return [image for image in images if abs(slant(image)) < MAX_SLANT]
