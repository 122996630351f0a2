"""The zip of digits that demonstrations and tests classify."""

import io
import zipfile
from pathlib import Path

import numpy as np

from trainer.datasets import Dataset
from trainer.images import read_image
from trainer.samples import write_digit_zip


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
