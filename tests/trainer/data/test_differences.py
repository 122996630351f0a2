"""What differs between two data sets, and single images of one."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.data.datasets import Dataset, write_idx
from tenfold.trainer.data.differences import Differences, Place, find_differences
from tenfold.trainer.data.files import DIGITS, FILES
from tenfold.trainer.data.stored import StoredPart

Compare = Callable[[Dataset, Dataset], Differences]


def write(dataset: Dataset, directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    arrays = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for name, values in zip(FILES, arrays, strict=True):
        write_idx(directory / name, values)
    return directory


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    def run(a: Dataset, b: Dataset) -> Differences:
        return find_differences(write(a, tmp_path / "a"), write(b, tmp_path / "b"), a.class_names, b.class_names)

    return run


@pytest.fixture
def few(digits: Dataset) -> Dataset:
    return digits.head(50, 20)


def test_a_data_set_does_not_differ_from_itself_in_another_order(few: Dataset, compare: Compare) -> None:
    turned = replace(few, train_images=few.train_images[::-1], train_labels=few.train_labels[::-1])

    assert compare(few, turned) == Differences(same=70)


def test_images_added_removed_relabeled_and_moved_are_told_apart(few: Dataset, compare: Compare) -> None:
    labels = few.train_labels.copy()
    labels[3] = (labels[3] + 1) % 10
    changed = replace(
        few,
        train_images=np.concatenate([few.train_images[:-1], few.test_images[:1]]),
        train_labels=np.concatenate([labels[:-1], few.test_labels[:1]]),
        test_images=np.concatenate([few.test_images[1:], np.zeros((1, 28, 28), np.uint8)]),
        test_labels=np.concatenate([few.test_labels[1:], [7]]).astype(np.uint8),
    )

    found = compare(few, changed)

    assert found.same == 69
    assert found.added == [Place("test", 19, "7")]
    assert found.removed == [Place("train", 49, str(few.train_labels[49]))]
    assert found.relabeled == [(Place("train", 3, str(few.train_labels[3])), Place("train", 3, str(labels[3])))]
    assert found.moved == [(Place("test", 0, str(few.test_labels[0])), Place("train", 49, str(few.test_labels[0])))]


def test_an_image_that_occurs_several_times_is_matched_as_often(few: Dataset, compare: Compare) -> None:
    twice = replace(
        few,
        train_images=np.concatenate([few.train_images, few.train_images[:2]]),
        train_labels=np.concatenate([few.train_labels, few.train_labels[:2]]),
    )

    assert [place.number for place in compare(few, twice).added] == [50, 51]
    assert [place.number for place in compare(twice, few).removed] == [50, 51]


def test_labels_are_compared_by_the_names_of_the_classes(few: Dataset, compare: Compare) -> None:
    turned = replace(few, class_names=DIGITS[::-1], train_labels=9 - few.train_labels, test_labels=9 - few.test_labels)

    assert compare(few, turned) == Differences(same=70)


def test_one_image_is_read_as_a_png_with_dark_ink(few: Dataset, tmp_path: Path) -> None:
    stored = StoredPart(write(few, tmp_path / "few"), "test")

    shown = np.asarray(Image.open(io.BytesIO(stored.png(5))))

    assert (shown == 255 - few.test_images[5]).all()


def test_one_in_color_keeps_its_colors(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (4, 9, 12, 3), np.uint8)
    labels = np.arange(4, dtype=np.uint8)
    stored = StoredPart(write(Dataset("color", images, labels, images, labels), tmp_path / "color"), "train")

    assert (np.asarray(Image.open(io.BytesIO(stored.png(2)))) == images[2]).all()
