"""The zip of digits that demonstrations and tests classify."""

import io
import zipfile
from pathlib import Path

import numpy as np

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import write_digit_zip
from tenfold.trainer.files.class_names import ClassNames
from tenfold.trainer.images import read_image


def test_each_image_lies_in_its_label_s_folder_in_order_and_unchanged(digits: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "digits.zip"

    write_digit_zip(digits.test_images[:20], digits.test_labels[:20], path)

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        images = np.stack([read_image(archive.read(name)) for name in names])
    assert names[:3] == ["7/00000.png", "2/00001.png", "1/00002.png"]
    assert (images == digits.test_images[:20]).all()
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_images_give_the_same_bytes(digits: Dataset, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write_digit_zip(digits.test_images[:5], digits.test_labels[:5], tmp_path / name)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert zipfile.is_zipfile(io.BytesIO((tmp_path / "one.zip").read_bytes()))


def test_a_class_whose_name_no_folder_can_have_gets_one_that_means_it(digits: Dataset, tmp_path: Path) -> None:
    names = ("T-shirt/top", *(f"class {index}" for index in range(1, 10)))
    labels = np.zeros(2, np.uint8)

    write_digit_zip(digits.test_images[:2], labels, tmp_path / "clothes.zip", names)

    with zipfile.ZipFile(tmp_path / "clothes.zip") as archive:
        assert archive.namelist() == ["T-shirt_top/00000.png", "T-shirt_top/00001.png"]
    assert ClassNames(names).of_folder("T-shirt_top") == "T-shirt/top"
