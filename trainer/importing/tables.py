"""Reads CSV files with a label and 784 pixels in each line: one file, or a zip of train.csv and perhaps test.csv."""

import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from trainer.errors import DatasetInvalid
from trainer.images import SIDE
from trainer.importing.classes import check_name
from trainer.importing.found import CHECK_EVERY, Array, Check, Found, Part
from trainer.importing.labels import parse_labels
from trainer.importing.limits import refuse_too_many
from trainer.importing.pixels import to_images
from trainer.importing.refusals import KINDS, refuse_damage
from trainer.importing.rows import csv_rows
from trainer.importing.zips import Members


class LabelsMissing(DatasetInvalid):
    """A CSV has no label column."""


def read_csvs(archive: zipfile.ZipFile, members: Members, check: Check) -> Found:
    """The data set in the zip's CSV files. A test file without labels is left out.

    Raises:
        DatasetInvalid: it is not clear which file is which, or one cannot be read.
    """
    paths = [path for path in members if path.suffix.lower() == ".csv"]
    train = [path for path in paths if path.stem.lower().endswith("train")]
    test = [path for path in paths if path.stem.lower().endswith("test")]
    if len(paths) == 1:
        train, test = paths, []
    if len(train) != 1 or len(test) > 1:
        raise DatasetInvalid(
            f"The zip holds {', '.join(map(str, paths[:5]))}; expected one train.csv, and one test.csv or none."
        )

    def read(path: PurePosixPath) -> Part:
        with refuse_damage(members[path].filename):
            file = archive.open(members[path])
        with file:
            return read_csv(file, str(path), check)

    part = read(train[0])
    try:
        return Found(part, *map(read, test))
    except LabelsMissing:
        note = f"Left out {test[0]}, which has no label column; a part of the training images is the test instead."
        return Found(part, notes=[note])


def read_csv(file: IO[bytes], what: str, check: Check) -> Part:
    """The images and labels in one CSV file, gzipped or not, whose header names the label column.

    Raises:
        LabelsMissing: the header names no such column.
        DatasetInvalid: the file is no CSV, or a line in it is not as it should be.
    """
    rows = csv_rows(file, what)
    _, header = next(rows, (0, []))
    columns = [column.strip().lower() for column in header]
    if columns.count("label") != 1:
        raise LabelsMissing(
            f"{what} was read as CSV, but {_shown(columns)} in its first line, which should name one column `label` "
            f"and {SIDE * SIDE} pixels. {KINDS}"
        )
    if len(columns) != SIDE * SIDE + 1:
        raise DatasetInvalid(
            f"{what} has {len(columns) - 1} columns beside `label`; expected {SIDE * SIDE}, the pixels of 28×28 images."
        )
    position = columns.index("label")
    labels: list[str] = []
    pixels: list[Array] = []
    for line, row in rows:
        if len(row) != len(columns):
            raise DatasetInvalid(f"{what}, line {line}: {len(row)} columns; the header has {len(columns)}.")
        label = row.pop(position).strip()
        check_name(label, f"The label in {what}, line {line},")
        labels.append(label)
        pixels.append(_parse_pixels(row, f"{what}, line {line}"))
        if len(labels) % CHECK_EVERY == 0:
            check()
            refuse_too_many(len(labels))
    values = np.stack(pixels) if pixels else np.empty((0, SIDE * SIDE), np.uint8)
    return Part(to_images(values, what, check), parse_labels(labels, f"{what}, column label,"))


def _shown(columns: Sequence[str]) -> str:
    return f"found {', '.join(column[:20] for column in columns[:4])[:80]!r}…" if columns else "found nothing"


def _parse_pixels(cells: Sequence[str], where: str) -> Array:
    """Whole numbers 0–255 as uint8, the usual and fast case; any others as float32."""
    with suppress(ValueError, OverflowError):
        return np.frombuffer(bytes(map(int, cells)), np.uint8)
    for column, cell in enumerate(cells):
        try:
            usable = abs(float(cell)) < 1e30
        except ValueError:
            usable = False
        if not usable:
            raise DatasetInvalid(f"{where}: pixel {column} is {cell[:40]!r}; expected 0–255, or fractions 0–1.")
    return np.array(cells, np.float32)
