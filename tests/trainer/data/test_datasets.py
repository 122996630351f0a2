"""Data sets on the volume."""

from pathlib import Path

import numpy as np
import pytest

from tenfold.trainer.data.datasets import Dataset, load_dataset, write_idx
from tenfold.trainer.data.files import FILES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from tenfold.trainer.errors import DatasetInvalid, DatasetMissing


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
