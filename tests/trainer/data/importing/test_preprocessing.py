"""How an import decides what makes 28×28 pixels of pictures, measured."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.files import ABOUT
from tenfold.trainer.data.importing import Imported, Wanted, import_dataset, save_dataset
from tenfold.trainer.images import normalize
from tests.trainer.data.importing.test_importing import csv_of, idx_files, keras_layout, npz, png, zipped

Import = Callable[..., Imported]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    def run(data: bytes, **options: Any) -> Imported:
        (tmp_path / "upload").write_bytes(data)
        return import_dataset(tmp_path / "upload", "own", **options)

    return run


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Dataset:
    return mnist.head(200, 100)


@pytest.fixture(scope="module")
def clothes(fashion: Dataset) -> Dataset:
    return fashion.head(200, 100)


def scanned(digit: Bytes, random: np.random.Generator) -> Bytes:
    """The digit in dark ink on a sheet of light paper, somewhere, of some size."""
    side = int(random.integers(40, 90))
    sheet = np.full((128, 128), random.integers(190, 240), np.uint8)
    top, left = random.integers(0, 128 - side, 2)
    ink = cv2.resize(digit, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255
    part = sheet[top : top + side, left : left + side]
    part[:] = part * (1 - 0.8 * ink)
    return sheet


def scans(dataset: Dataset) -> list[Bytes]:
    random = np.random.default_rng(5)
    return [scanned(image, random) for image in dataset.train_images]


def folders_of(pictures: Any, labels: Any, names: Callable[[int], str] = str) -> bytes:
    return zipped(
        {
            f"{names(int(label))}/{n}.png": png(picture)
            for n, (picture, label) in enumerate(zip(pictures, labels, strict=True))
        }
    )


@pytest.mark.parametrize("kind", ["idx", "npz", "csv", "folders"])
def test_digits_in_the_form_of_mnist_are_digit_and_keep_their_pixels(
    imported: Import, few: Dataset, tmp_path: Path, kind: str
) -> None:
    data = {
        "idx": lambda: zipped(idx_files(few, tmp_path)),
        "npz": lambda: npz(**keras_layout(few)),
        "csv": lambda: csv_of(few.train_images, few.train_labels),
        "folders": lambda: folders_of(few.train_images, few.train_labels),
    }[kind]()
    result = imported(data)

    assert result.dataset.input.preprocessing == "digit"
    known = {image.tobytes() for image in np.concatenate([few.train_images, few.test_images])}
    assert all(image.tobytes() in known for image in result.dataset.train_images)
    assert not any("Preprocessing is" in warning for warning in result.report.warnings)


@pytest.mark.parametrize("kind", ["idx", "npz", "csv", "folders"])
def test_clothes_are_resized_and_the_report_says_why(
    imported: Import, clothes: Dataset, tmp_path: Path, kind: str
) -> None:
    """Although their folders are named after digits, as those of many exports are."""
    data = {
        "idx": lambda: zipped(idx_files(clothes, tmp_path)),
        "npz": lambda: npz(**keras_layout(clothes)),
        "csv": lambda: csv_of(clothes.train_images, clothes.train_labels),
        "folders": lambda: folders_of(clothes.train_images, clothes.train_labels),
    }[kind]()
    result = imported(data)

    assert result.dataset.input.preprocessing == "resize"
    known = {image.tobytes() for image in np.concatenate([clothes.train_images, clothes.test_images])}
    assert all(image.tobytes() in known for image in result.dataset.train_images)
    assert result.report.warnings[-1].startswith("Preprocessing is resize.")
    assert "preprocessing=digit" in result.report.warnings[-1]


@pytest.mark.parametrize("names", [str, lambda label: f"class-{label}"], ids=["digits", "other names"])
def test_scans_of_digits_are_digit_whatever_their_folders_are_called(
    imported: Import, few: Dataset, names: Callable[[int], str]
) -> None:
    result = imported(folders_of(scans(few), few.train_labels, names))

    assert result.dataset.input.preprocessing == "digit"
    assert "after the digit normalizer" in result.report.warnings[-1]


def test_so_few_pictures_that_nothing_can_be_measured_go_by_their_folders_names(imported: Import, few: Dataset) -> None:
    pictures, labels = scans(few)[:20], few.train_labels[:20] % 2
    digits = imported(folders_of(pictures, labels))
    others = imported(folders_of(pictures, labels, lambda label: ("even", "odd")[label]))

    assert [digits.dataset.input.preprocessing, others.dataset.input.preprocessing] == ["digit", "resize"]
    assert "not named after digits" in others.report.warnings[-1]


@pytest.mark.parametrize("wanted", ["digit", "resize"])
@pytest.mark.parametrize("kind", ["npz", "folders"])
def test_a_person_decides_against_the_rule(imported: Import, few: Dataset, wanted: str, kind: str) -> None:
    pictures = scans(few)
    data = {
        "npz": lambda: npz(images=np.stack(pictures), labels=few.train_labels),
        "folders": lambda: folders_of(pictures, few.train_labels),
    }[kind]()
    result = imported(data, wanted=Wanted(wanted))

    assert result.dataset.input.preprocessing == wanted
    expected = {normalize(picture).pixels.tobytes() if wanted == "digit" else picture.tobytes() for picture in pictures}
    assert all(image.tobytes() in expected for image in result.dataset.train_images)
    assert not any("Preprocessing is" in warning for warning in result.report.warnings)


def test_arrays_of_another_size_are_resized_unless_a_person_says_otherwise(imported: Import, few: Dataset) -> None:
    large = np.stack([cv2.resize(image, (56, 56)) for image in few.train_images])

    assert imported(npz(images=large, labels=few.train_labels)).dataset.input.preprocessing == "resize"


def test_what_was_decided_is_kept_with_the_data_set(imported: Import, clothes: Dataset, tmp_path: Path) -> None:
    result = imported(npz(**keras_layout(clothes)))
    (tmp_path / "own").mkdir()
    save_dataset(result, tmp_path / "own")

    kept = load_dataset("own", tmp_path)
    assert kept.input == result.dataset.input
    assert kept.input.reason == result.dataset.input.reason
    assert "MNIST's form" in kept.input.reason


@pytest.mark.parametrize(("of", "expected"), [("mnist", "digit"), ("fashion", "resize")])
def test_a_data_set_of_an_earlier_version_is_measured(
    of: str, expected: str, request: pytest.FixtureRequest, tmp_path: Path, imported: Import
) -> None:
    dataset = request.getfixturevalue(of).head(200, 100)
    (tmp_path / "own").mkdir()
    save_dataset(imported(npz(**keras_layout(dataset))), tmp_path / "own")
    (tmp_path / "own" / ABOUT).write_text('{"class_names": ["0","1","2","3","4","5","6","7","8","9"]}')

    assert load_dataset("own", tmp_path).input.preprocessing == expected
    assert "Not recorded, so judged by the images" in load_dataset("own", tmp_path).input.reason
