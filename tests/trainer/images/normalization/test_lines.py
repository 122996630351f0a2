"""Digits in the lines of boxes and tables, drawn by `benchmarks.framed_digits`: found, cleaned, or flagged."""

import cv2
import numpy as np
import pytest

from benchmarks.framed_digits import FRAMES, cells
from benchmarks.hard_digits import RENDERINGS
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.images import normalize, steps
from tenfold.trainer.images.normalization.polarity import Polarity

# Pixels of a digit taken from a box correlate so much with those of the digit itself where it was found and kept whole.
ALIKE = 0.6


def cell(digit: Bytes, inset: int = 4, width: int = 3) -> Bytes:
    """The digit (28, 28) uint8 at four times its size, in black in a black box on white paper."""
    large = cv2.resize(digit, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    paper = np.asarray(255 - np.pad(large, 8), np.uint8)
    last = len(paper) - 1 - inset
    return np.asarray(cv2.rectangle(paper, (inset, inset), (last, last), 0, width), np.uint8)


def likeness(seen: Bytes, digit: Bytes) -> float:
    blurred, other = (cv2.GaussianBlur(picture, (5, 5), 0).ravel() for picture in (seen, digit))
    return float(np.nan_to_num(np.corrcoef(blurred, other)[0, 1]))


@pytest.mark.parametrize("kind", FRAMES)
def test_a_digit_in_a_frame_comes_out_as_the_digit(mnist: Dataset, kind: str) -> None:
    digits = mnist.test_images[200:280]

    found = [
        likeness(normalize(picture).pixels, digit)
        for picture, digit in zip(cells(digits, kind, 5), digits, strict=True)
    ]

    assert np.mean(np.array(found) >= ALIKE) >= 0.85


@pytest.mark.parametrize("polarity", ["dark-on-light", "light-on-dark"])
def test_a_box_on_the_border_does_not_turn_the_polarity(mnist: Dataset, polarity: Polarity) -> None:
    for digit in mnist.test_images[:20]:
        picture = cell(digit, inset=2, width=9)
        seen = normalize(picture if polarity == "dark-on-light" else 255 - picture)

        assert seen.polarity == polarity
        assert likeness(seen.pixels, digit) >= ALIKE


def test_a_box_in_mnist_s_form_is_not_taken_as_it_is(mnist: Dataset) -> None:
    boxed = cv2.resize(mnist.test_images[0], (28, 28))
    boxed = np.asarray(cv2.rectangle(boxed, (4, 4), (23, 23), 255, 1), np.uint8)

    seen = normalize(boxed)

    assert seen.method == "mnist"
    assert normalize(mnist.test_images[0]).method == "as-is"


def test_lines_taken_away_are_a_step(mnist: Dataset) -> None:
    assert "lines removed" in [name for name, _ in steps(cell(mnist.test_images[0]))]


def test_an_empty_box_is_blank() -> None:
    assert normalize(cell(np.zeros((28, 28), np.uint8))).blank


def test_nothing_but_a_rule_is_blank_or_unclear() -> None:
    sheet = np.full((80, 100), 255, np.uint8)
    sheet[70:73] = 0

    seen = normalize(sheet)

    assert seen.blank or seen.unclear_lines


def test_a_stroke_that_lies_close_along_a_line_is_unclear() -> None:
    """The foot of a 2 may belong to the rule, or the rule to the foot."""
    sheet = np.full((100, 100), 255, np.uint8)
    cv2.line(sheet, (35, 20), (60, 20), 0, 5)
    cv2.line(sheet, (60, 20), (30, 84), 0, 5)
    cv2.line(sheet, (30, 84), (65, 84), 0, 5)
    sheet[88:91] = 0

    assert normalize(sheet).unclear_lines


def test_a_stroke_goes_on_beyond_the_line_that_it_crosses() -> None:
    sheet = np.full((120, 90), 255, np.uint8)
    cv2.line(sheet, (30, 15), (62, 15), 0, 5)
    cv2.line(sheet, (62, 15), (40, 112), 0, 5)
    alone = normalize(sheet).pixels
    sheet[95:98] = 0

    assert likeness(normalize(sheet).pixels, alone) >= 0.95


@pytest.mark.parametrize("rendering", [name for name in RENDERINGS if name != "ruled"])
def test_digits_without_lines_lose_nothing(mnist: Dataset, rendering: str) -> None:
    rng = np.random.default_rng(2)
    pictures = [RENDERINGS[rendering](digit, rng) for digit in mnist.test_images[:100]]

    cleaned = ["lines taken away" in [step for step, _ in steps(picture)] for picture in pictures]

    assert sum(cleaned) <= 2
    assert sum(normalize(picture).unclear_lines for picture in pictures) <= 1


def heavy_cell(digit: Bytes, rng: np.random.Generator, width: tuple[int, int]) -> Bytes:
    """The digit (28, 28) uint8 in a box of 64 pixels: bars above and below, coarse dashes on the left and right."""
    paper = np.full((64, 64), 255, np.uint8)
    paper[8:58, 6:58] = 255 - cv2.resize(digit, (52, 50), interpolation=cv2.INTER_CUBIC)
    top, bottom, across = rng.integers(*width, 3)
    dash, gap = rng.integers(6, 11, 2)
    for start in range(int(rng.integers(0, 8)), 64, int(dash + gap)):
        paper[start : start + dash, 9 : 9 + across] = paper[start : start + dash, 55 - across : 55] = 0
    paper[:top, 9:55] = paper[64 - bottom :, 9:55] = 0
    return paper


def test_digits_come_out_of_heavy_boxes(mnist: Dataset) -> None:
    rng = np.random.default_rng(3)
    digits = mnist.test_images[300:500]

    alike = [likeness(normalize(heavy_cell(digit, rng, (4, 9))).pixels, digit) >= ALIKE for digit in digits]

    assert np.mean(alike) >= 0.95


def test_what_cannot_be_cleaned_is_flagged(mnist: Dataset) -> None:
    """Bars so wide that they lie over the digit's strokes."""
    rng = np.random.default_rng(3)
    digits = mnist.test_images[300:500]
    seen = [normalize(heavy_cell(digit, rng, (9, 15))) for digit in digits]

    bad = [found for found, digit in zip(seen, digits, strict=True) if likeness(found.pixels, digit) < ALIKE]

    assert len(bad) >= 20
    assert np.mean([found.unclear_lines or found.pieces != 1 for found in bad]) >= 0.9
