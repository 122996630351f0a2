"""What normalizing tells beside its pixels, and its single steps."""

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from benchmarks.hard_digits import RENDERINGS, Rendering
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.images import normalize, steps
from tenfold.trainer.images.normalization import Polarity
from tenfold.trainer.images.normalization.enlarging import LARGE
from tenfold.trainer.images.normalization.paper import light_on_dark
from tenfold.trainer.images.normalization.slant import MAX_SLANT, slant, upright
from tenfold.trainer.images.normalization.strokes import THICKEST, THINNEST, evened, stroke_width

MODES = st.sampled_from(["auto", "none"])
POLARITIES = st.sampled_from(["auto", "light-on-dark", "dark-on-light"])


def drawn(digit: Bytes, times: int = 4, margin: int = 20) -> Bytes:
    """The digit (28, 28) uint8 in black on white paper."""
    large = cv2.resize(digit, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    return np.asarray(255 - np.pad(large, margin), np.uint8)


def bar(height: int, width: int) -> Bytes:
    return np.pad(np.full((height, width), 255, np.uint8), 5)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)), MODES, POLARITIES)
def test_the_last_step_is_what_normalizing_gives(gray: Bytes, mode: Any, polarity: Any) -> None:
    seen = steps(gray, mode, polarity)

    assert seen[0][1] is gray
    assert seen[-1][1].tolist() == normalize(gray, mode, polarity).pixels.tolist()


@pytest.mark.parametrize("rendering", RENDERINGS.values(), ids=RENDERINGS)
def test_the_last_step_is_what_normalizing_gives_of_hard_cases_too(digits: Dataset, rendering: Rendering) -> None:
    picture = rendering(digits.test_images[0], np.random.default_rng(1))

    assert steps(picture)[-1][1].tolist() == normalize(picture).pixels.tolist()


def test_each_step_has_its_name(digits: Dataset) -> None:
    assert [name for name, _ in steps(drawn(digits.test_images[0]))] == [
        "original",
        "paper removed",
        "ink, dark-on-light",
        "digit",
        "enlarged",
        "slant corrected",
        "stroke width corrected",
        "scaled",
        "centered",
    ]
    assert [name for name, _ in steps(digits.test_images[0])] == ["original"]
    assert [name for name, _ in steps(digits.test_images[0], "none")] == ["original", "resized"]
    assert steps(np.full((40, 40), 200, np.uint8))[-1][0] == "blank"


def test_a_digit_alone_is_one_piece(mnist: Dataset) -> None:
    """Also where MNIST's own is broken, as 5s with their hats off are."""
    found = [normalize(drawn(digit)).pieces for digit in mnist.test_images[:500]]

    assert np.mean([pieces == 1 for pieces in found]) >= 0.99


@pytest.mark.parametrize("gap", [10, 60])
def test_two_digits_side_by_side_are_two_pieces(digits: Dataset, gap: int) -> None:
    found = []
    for one, other in zip(digits.test_images[:100], digits.test_images[100:200], strict=True):
        paper = np.full((152, gap), 255, np.uint8)
        both = np.hstack([paper, cut(drawn(one)), paper, cut(drawn(other)), paper])
        found.append(normalize(both).pieces)

    assert np.mean([pieces >= 2 for pieces in found]) >= 0.97


def test_specks_and_ruled_lines_are_no_pieces(digits: Dataset) -> None:
    paper = drawn(digits.test_images[0])
    paper[5:9, 5:9] = 0
    paper[-12:-10] = 90

    assert normalize(paper).pieces == 1


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (28, 28), (300, 200)])
def test_a_blank_sheet_is_told(shape: tuple[int, int]) -> None:
    seen = normalize(np.full(shape, 200, np.uint8))

    assert (seen.blank, seen.pieces, seen.method) == (True, 0, "mnist")


def test_a_digit_is_not_blank(digits: Dataset) -> None:
    for picture in (digits.test_images[0], drawn(digits.test_images[0]), 255 - digits.test_images[0]):
        seen = normalize(picture)
        assert (seen.blank, seen.pieces) == (False, 1)


@pytest.mark.parametrize("row", [60, 61, 62])
def test_a_stroke_of_a_single_row_is_found_on_a_large_sheet(row: int) -> None:
    """Where the rows that are looked at for the ink's level have none of it, all are."""
    sheet = np.full((120, 120), 230, np.uint8)
    sheet[row, 40:70] = 60

    assert not normalize(sheet).blank


@pytest.mark.parametrize("polarity", ["light-on-dark", "dark-on-light"])
def test_even_paper_is_taken_away_as_uneven_paper_is(polarity: Polarity) -> None:
    sheet = np.arange(256, dtype=np.uint8).repeat(256).reshape(256, 256)
    even = np.full((24, 24), 150, np.uint8)
    uneven = even.copy()
    uneven[0, 0] = 153

    one, other = light_on_dark(sheet, even, polarity), light_on_dark(sheet, uneven, polarity)

    assert abs(one[32:].astype(int) - other[32:]).max() <= 1


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)), MODES)
def test_blank_says_that_the_pixels_are_all_dark(gray: Bytes, mode: Any) -> None:
    seen = normalize(gray, mode)

    assert seen.blank == (not seen.pixels.any())


@pytest.mark.parametrize("corner", [(0, 0), (2700, 0), (1300, 3800)])
def test_a_small_digit_on_a_photo_is_found(digits: Dataset, corner: tuple[int, int]) -> None:
    """A tenth of the height of 12 megapixels."""
    digit = drawn(digits.test_images[0], times=7, margin=0)
    photo = np.full((3000, 4000), 255, np.uint8)
    top, left = corner
    photo[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    photo = np.asarray(photo * 0.6 + 60, np.uint8)

    seen, alone = normalize(photo).pixels, normalize(digit).pixels

    assert np.corrcoef(seen.ravel(), alone.ravel())[0, 1] >= 0.95


def test_a_slanted_stroke_is_set_upright() -> None:
    stroke = bar(LARGE, 8)
    height, width = stroke.shape
    slanted = cv2.warpAffine(stroke, np.array([[1, -0.8, 0.8 * height], [0, 1, 0]]), (width + height, height))

    seen = upright(np.asarray(slanted, np.uint8))

    assert slant(np.asarray(slanted, np.uint8)) == pytest.approx(0.8, abs=0.05)
    assert slant(seen) == pytest.approx(MAX_SLANT, abs=0.05)
    assert slant(upright(np.ascontiguousarray(slanted[:, ::-1]))) == pytest.approx(-MAX_SLANT, abs=0.05)
    assert upright(stroke) is stroke


@pytest.mark.parametrize("width", [2, 6, 8, 14])
def test_strokes_come_as_wide_as_mnist_s(width: int) -> None:
    seen = evened(bar(60, width))

    assert stroke_width(bar(60, width)[5:-5]) > 0
    assert THINNEST - 0.03 <= stroke_width(seen) / max(seen.shape) * np.pi / 4 <= THICKEST + 0.03


def test_a_stroke_s_width_is_measured() -> None:
    ring = cv2.circle(np.zeros((80, 80), np.uint8), (40, 40), 30, 255, 8)

    assert stroke_width(np.asarray(ring, np.uint8)) == pytest.approx(8, rel=0.15)


def cut(paper: Bytes) -> Bytes:
    """Without the white at the sides."""
    columns = np.flatnonzero(paper.min(axis=0) < 192)
    return paper[:, columns[0] : columns[-1] + 1]
