"""The sheet of sample images."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.preview import DPI, GAP, SHOWN_SIDE, plot_samples


def drawn(dataset: Dataset, directory: Path, per_class: int = 10) -> np.ndarray:
    path = directory / "samples.png"
    plot_samples(dataset, path, per_class)
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def test_the_sheet_shows_real_digits_enlarged_twice(tmp_path: Path, digits: Dataset) -> None:
    sheet = drawn(digits, tmp_path, per_class=1)

    first_zero = 255 - digits.train_images[np.flatnonzero(digits.train_labels == 0)[0]]
    enlarged = first_zero.repeat(2, axis=0).repeat(2, axis=1).astype(int)
    best = min(
        np.abs(sheet[top : top + 56, left : left + 56] - enlarged).mean()
        for top in range(DPI // 3, DPI)
        for left in range(sheet.shape[1] - 56 + 1)
    )
    assert best < 10


def test_the_sheet_grows_with_classes_and_samples(tmp_path: Path, digits: Dataset) -> None:
    ten, five = drawn(digits, tmp_path, 10), drawn(digits, tmp_path, 5)
    few = replace(digits, train_labels=digits.train_labels % 3, class_names=("cat", "dog", "cow"))

    assert ten.shape[1] - five.shape[1] == pytest.approx(5 * (SHOWN_SIDE + GAP), abs=2)
    assert ten.shape[0] - drawn(few, tmp_path).shape[0] == pytest.approx(7 * (SHOWN_SIDE + GAP), abs=2)


def test_only_the_first_thirty_classes_are_drawn(tmp_path: Path, digits: Dataset) -> None:
    labels = (np.arange(len(digits.train_labels)) % 200).astype(np.uint8)
    many = replace(digits, train_labels=labels, class_names=tuple(map(str, range(200))))

    assert drawn(many, tmp_path).shape[0] < 31 * (SHOWN_SIDE + GAP) + DPI


def test_names_may_be_long_or_look_like_formulas_and_a_class_may_have_few_images(
    tmp_path: Path, digits: Dataset
) -> None:
    names = ("$\\frac{$", "a" * 100, "none")
    labels = np.where(np.arange(len(digits.train_labels)) < 3, 0, 1).astype(np.uint8)
    sheet = drawn(replace(digits, train_labels=labels, class_names=names), tmp_path)

    assert sheet.shape[1] < 10 * (SHOWN_SIDE + GAP) + 5 * DPI
    assert (sheet[-(SHOWN_SIDE + GAP) :, -9 * (SHOWN_SIDE + GAP) :] == 255).all()


def test_drawing_loads_no_tensorflow_or_keras() -> None:
    code = "import sys, tenfold.trainer.data.preview; print(*({'tensorflow', 'keras'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
