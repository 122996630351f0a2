"""Data sets on the volume."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.datasets import Dataset, load_dataset, write_idx
from tenfold.trainer.data.files import FILES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from tenfold.trainer.errors import DatasetInvalid, DatasetMissing
from tenfold.trainer.input_spec import InputSpec


@pytest.fixture
def root(tmp_path: Path, digits: Dataset) -> Path:
    """A volume with a small data set, `few`."""
    directory = tmp_path / "few"
    directory.mkdir()
    arrays = (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels)
    for name, values in zip(FILES, arrays, strict=True):
        write_idx(directory / name, values)
    return tmp_path


def test_mnist_is_the_whole_real_one(mnist: Dataset) -> None:
    assert mnist.train_images.shape == (60_000, 28, 28)
    assert mnist.test_images.shape == (10_000, 28, 28)
    assert mnist.train_labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert mnist.test_labels[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
    assert mnist.class_names == tuple("0123456789")


def test_a_volume_is_read_as_it_was_written(root: Path, digits: Dataset) -> None:
    few = load_dataset("few", root)

    assert few.name == "few"
    assert (few.train_images == digits.train_images).all()
    assert (few.test_labels == digits.test_labels).all()


@pytest.mark.parametrize(
    ("name", "remedy"), [("few", "Upload it again"), ("mnist", "python -m tenfold.trainer.data.fetch mnist")]
)
def test_a_missing_file_is_named_with_the_remedy(root: Path, name: str, remedy: str) -> None:
    (root / "few" / TEST_LABELS).unlink()
    (root / "few").rename(root / name)

    with pytest.raises(DatasetMissing, match=rf"lacks {TEST_LABELS}.*{remedy}"):
        load_dataset(name, root)


def test_images_and_labels_that_do_not_fit_are_refused(root: Path, digits: Dataset) -> None:
    write_idx(root / "few" / TRAIN_LABELS, digits.train_labels[:-1])

    with pytest.raises(DatasetInvalid, match=r"\(2000, 28, 28\).*\(1999,\)"):
        load_dataset("few", root)


def test_images_of_another_size_are_refused(root: Path) -> None:
    write_idx(root / "few" / TRAIN_IMAGES, np.zeros((2000, 32, 32), np.uint8))

    with pytest.raises(DatasetInvalid, match="32, 32"):
        load_dataset("few", root)


def test_a_label_that_is_no_digit_is_refused(root: Path) -> None:
    write_idx(root / "few" / TEST_LABELS, np.full(500, 10, np.uint8))

    with pytest.raises(DatasetInvalid, match="label 10"):
        load_dataset("few", root)


def test_the_content_hash_of_mnist_is_the_declared_one(mnist: Dataset) -> None:
    assert mnist.content_sha256 == BUILTIN_DATASETS["mnist"].content_sha256


def test_the_same_content_has_the_same_hash_under_any_name(digits: Dataset) -> None:
    assert replace(digits, name="other").content_sha256 == digits.content_sha256


def test_other_images_labels_split_classes_or_preprocessing_have_another_hash(digits: Dataset) -> None:
    labels = digits.train_labels.copy()
    labels[0] = (labels[0] + 1) % 10
    others = [
        replace(digits, train_images=255 - digits.train_images),
        replace(digits, train_labels=labels),
        replace(digits, test_images=digits.test_images[:-1], test_labels=digits.test_labels[:-1]),
        replace(digits, class_names=tuple("abcdefghij")),
        replace(digits, input=InputSpec("resize")),
    ]

    assert len({digits.content_sha256, *(other.content_sha256 for other in others)}) == 6


def test_what_the_network_makes_of_pixels_is_no_part_of_the_content(digits: Dataset) -> None:
    assert replace(digits, input=InputSpec("digit", scaling="-1-1")).content_sha256 == digits.content_sha256


def test_a_model_of_an_earlier_version_is_known_by_the_hash_of_the_files(digits: Dataset) -> None:
    assert digits.is_data_of({"data_sha256": digits.files_sha256})
    assert not digits.is_data_of({"data_sha256": "another"})
