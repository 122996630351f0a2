"""Sheets of images say what they are given, also where there is next to nothing to show."""

from pathlib import Path

import numpy as np
import pytest

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.reports.sheets import RED, draw_mistakes, draw_predictions, draw_uncertain
from tests.trainer.pictures import has, pixels


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return tmp_path / "picture.png"


@pytest.fixture
def images(digits: Dataset) -> Bytes:
    return digits.test_images[:9]


def test_predictions_that_are_wrong_are_red(images: Bytes, picture: Path) -> None:
    draw_predictions(images, ["7"] * 9, ["7"] * 9, [0.9] * 9, picture)
    all_right = has(picture, RED)

    draw_predictions(images, ["7"] * 9, ["7"] * 8 + ["1"], [0.9] * 9, picture)

    assert not all_right
    assert has(picture, RED)


def test_a_sheet_has_a_row_for_each_eight_images(images: Bytes, picture: Path) -> None:
    heights = []
    for count in (1, 8, 9):
        draw_predictions(images[:count], ["7"] * count, ["1"] * count, [0.9] * count, picture)
        heights.append(len(pixels(picture)))

    assert heights[0] == heights[1] < heights[2]


def test_no_images_make_a_sheet_too(images: Bytes, picture: Path) -> None:
    draw_mistakes(images[:0], [], [], [], picture)
    without = pixels(picture)

    draw_mistakes(images[:1], ["7"], ["1"], [0.9], picture)

    assert without.shape == pixels(picture).shape
    assert (without != pixels(picture)).any()


def test_what_is_uncertain_is_shown_dark_on_light(images: Bytes, picture: Path) -> None:
    draw_uncertain(images, ["7"] * 9, [0.3] * 9, picture)

    assert np.median(pixels(picture)) == 255
    assert pixels(picture).min() < 20
    draw_uncertain(images[:0], [], [], picture)
