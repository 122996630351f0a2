"""The zips that are classified: MNIST's own test images as PNGs, and larger scans of them, as scanners give them."""

import io
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png

DISTINCT_SCANS = 400


def write_digits(dataset: Dataset, count: int, path: Path) -> None:
    """`count` members: the 10,000 test images as 28×28 PNGs, over and over."""
    _write(_repeated([(png(image), "png") for image in dataset.test_images], dataset), count, path)


def write_scans(dataset: Dataset, count: int, path: Path) -> None:
    """`count` members: a few hundred scans of 120 to 300 pixels a side, over and over. A quarter each are gray JPEGs,
    color JPEGs, gray PNGs and color PNGs; all are dark ink on light paper with some grain, off center."""
    random = np.random.default_rng(1)
    files = []
    for number in range(DISTINCT_SCANS):
        sheet = _scan(dataset.test_images[number], random)
        kind = ("JPEG", "PNG")[number % 2]
        colors = np.stack([sheet, sheet // 16 * 15, sheet // 8 * 7], axis=-1) if number // 2 % 2 else sheet
        data = io.BytesIO()
        Image.fromarray(colors).save(data, kind)
        files.append((data.getvalue(), {"JPEG": "jpg", "PNG": "png"}[kind]))
    _write(_repeated(files, dataset), count, path)


def _scan(digit: Bytes, random: np.random.Generator) -> Bytes:
    height, width = random.integers(120, 300, 2).tolist()
    side = int(min(height, width) * random.uniform(0.5, 0.8))
    ink = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    sheet = Image.new("L", (width, height))
    sheet.paste(ink, (int(random.integers(0, width - side)), int(random.integers(0, height - side))))
    grain = random.normal(0, 2, (height, width))
    return (235 - 0.8 * np.asarray(sheet) + grain).clip(0, 255).astype(np.uint8)


def _repeated(files: list[tuple[bytes, str]], dataset: Dataset) -> Iterator[tuple[str, bytes]]:
    number = 0
    while True:
        for (data, suffix), label in zip(files, dataset.test_labels, strict=False):
            yield f"{label}/{number:07d}.{suffix}", data
            number += 1


def _write(members: Iterator[tuple[str, bytes]], count: int, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in islice(members, count):
            archive.writestr(zipfile.ZipInfo(name), data)
