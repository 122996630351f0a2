"""Test images that are also training images, exactly or nearly."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data import duplicates
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.duplicates import Duplicate, duplicates_across_split, find_near_duplicates


def saved_again(image: Bytes) -> Bytes:
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=75)
    return np.asarray(Image.open(data))


def planted(dataset: Dataset, images: list[Bytes]) -> Dataset:
    """With these as the first test images."""
    test = dataset.test_images.copy()
    test[: len(images)] = images
    return replace(dataset, test_images=test)


def test_the_same_image_and_a_changed_one_are_told_apart(digits: Dataset) -> None:
    train = digits.train_images
    lighter = (train[7] * 0.7 + 20).astype(np.uint8)

    found = duplicates_across_split(planted(digits, [train[5], saved_again(train[6]), lighter]))

    assert [(pair.test_image, pair.train_image) for pair in found.exact] == [(0, 5)]
    assert [(pair.test_image, pair.train_image) for pair in found.near] == [(1, 6), (2, 7)]
    assert found.note(len(digits.test_images)).startswith("Test images that are nearly a training image")


def test_other_images_of_the_same_digit_are_none(mnist: Dataset) -> None:
    few = mnist.head(3000, 1000)

    assert duplicates_across_split(few).near == []


def test_no_pair_is_missed_that_comparing_all_pixels_finds(digits: Dataset) -> None:
    """The coarse comparison only rules out pairs."""
    train, test = digits.train_images[:400], digits.test_images[:200]
    vectors = [duplicates._normalized(images) for images in (train, test)]
    correlations = vectors[1] @ vectors[0].T
    expected = [(int(row), int(correlations[row].argmax())) for row in np.flatnonzero(correlations.max(axis=1) >= 0.8)]

    found = find_near_duplicates(train, test, near=0.8)

    assert expected
    assert [(pair.test_image, pair.train_image) for pair in found] == expected


@pytest.mark.parametrize("shape", [(9, 30), (8, 8, 3), (33, 50, 3)])
def test_images_of_any_size_and_color_are_compared(shape: tuple[int, ...]) -> None:
    train = np.random.default_rng(0).integers(0, 255, (20, *shape), np.uint8)

    assert find_near_duplicates(train, train[3:5]) == [Duplicate(0, 3, 1.0), Duplicate(1, 4, 1.0)]


def test_blank_images_are_nearly_like_none() -> None:
    blank = np.zeros((3, 28, 28), np.uint8)

    assert find_near_duplicates(blank + 7, blank) == []


def test_of_a_large_data_set_some_test_images_are_compared_and_that_is_said(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MAX_PAIRS", 100 * len(digits.train_images))

    found = duplicates_across_split(digits)

    assert found.compared == 100
    assert "of the 100 that were compared" in found.note(len(digits.test_images))


def test_pairs_with_different_labels_come_first(digits: Dataset) -> None:
    other = int(np.flatnonzero(digits.train_labels != digits.test_labels[1])[0])
    same = int(np.flatnonzero(digits.train_labels == digits.test_labels[0])[0])
    found = duplicates_across_split(planted(digits, [digits.train_images[same], digits.train_images[other]]))

    pairs = found.pairs(digits)

    assert [pair["test_image"] for pair in pairs] == [1, 0]
    assert pairs[0]["test_label"] != pairs[0]["train_label"]
