"""Reads CSV files with a label and the pixels of an image in each line: one, or `train.csv` and perhaps `test.csv`."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from trainer.errors import DatasetInvalid
from trainer.images import SIDE
from trainer.importing.archives import Archive
from trainer.importing.classes import check_name
from trainer.importing.found import CHECK_EVERY, Array, Check, Found, Part
from trainer.importing.labels import parse_labels
from trainer.importing.limits import refuse_too_many
from trainer.importing.parts import put_together
from trainer.importing.pixels import square_side, to_images
from trainer.importing.refusals import KINDS, refuse_damage
from trainer.importing.rows import csv_rows
from trainer.naming import splits

LABEL_COLUMNS = frozenset(("label", "labels", "class", "target", "y"))
INDEX_COLUMNS = frozenset(("", "id", "index", "unnamed: 0"))

# Without a header the label is in the first column or the last: these many rows tell which.
LOOKED_AT_ROWS = 200

# What pandas makes of a first line of numbers that it takes for a header: 0, 0.1, 0.2, …
REPEATED = re.compile(r"[0-9]+\.[0-9]+")

Row = tuple[int, list[str]]


class LabelsMissing(DatasetInvalid):
    """A CSV has no label column."""


@dataclass(frozen=True)
class _Columns:
    """How many cells a line has, which is the label, which others are no pixels, and what was assumed of them."""

    count: int
    label: int
    dropped: frozenset[int]
    note: str = ""


def read_csvs(archive: Archive, check: Check) -> Found:
    """The data set in the archive's CSV files. Test files without labels are left out.

    Raises:
        DatasetInvalid: it is not clear which file is which, or one cannot be read.
    """
    paths = [path for path in archive.members if is_table(path)]
    named = {path: splits.part_named(path.name.partition(".")[0]) for path in paths}
    chosen: list[tuple[PurePosixPath, splits.Part | None]] = [(path, part.part) for path, part in named.items() if part]
    chosen = chosen or [(path, None) for path in paths[:1]]
    parts = [part for _, part in chosen]
    if len(set(parts)) < len(parts) or (len(paths) > 1 and splits.Part.TRAIN not in parts):
        raise DatasetInvalid(
            f"The {archive.what} holds {', '.join(map(str, paths[:5]))}; expected one train.csv, and one test.csv or "
            "none."
        )
    read, told, notes = [], list[str](), list[str]()
    for path, part in chosen:
        with refuse_damage(archive.name(path)):
            file = archive.open(path)
        with file:
            try:
                found = read_csv(file, str(path), check)
            except LabelsMissing:
                if part in (splits.Part.TRAIN, None):
                    raise
                notes.append(f"Left out {path}, which has no label column.")
                continue
        read.append((str(path), part, found.train))
        told += found.told
        notes += found.notes
    for path in set(paths) - {path for path, _ in chosen}:
        archive.skipped.add("tables that are no part of the data set", path)
    together = put_together(read)
    return replace(together, told=[*together.told, *told], notes=[*together.notes, *notes])


def is_table(path: PurePosixPath) -> bool:
    """Whether the file is called a table of text: CSV, semicolons or tabs, gzipped or not."""
    return bool(re.search(r"\.(csv|tsv)(\.gz)?$", path.name.lower()))


def read_csv(file: IO[bytes], what: str, check: Check) -> Found:
    """The images and labels in one CSV file, gzipped or not, as one part and as they are stored: `put_together` is to
    set them upright.

    Raises:
        LabelsMissing: the header names no such column.
        DatasetInvalid: the file is no CSV, or a line in it is not as it should be.
    """
    rows = csv_rows(file, what)
    columns, rows = _read_columns(rows, what)
    labels: list[str] = []
    pixels: list[Array] = []
    for line, row in rows:
        if len(row) != columns.count:
            raise DatasetInvalid(f"{what}, line {line}: {len(row)} columns; the header has {columns.count}.")
        label = row[columns.label].strip()
        check_name(label, f"The label in {what}, line {line},")
        labels.append(label)
        cells = [cell for at, cell in enumerate(row) if at != columns.label and at not in columns.dropped]
        pixels.append(_parse_pixels(cells, f"{what}, line {line}"))
        if len(labels) % CHECK_EVERY == 0:
            check()
            refuse_too_many(len(labels))
    values = np.stack(pixels) if pixels else np.empty((0, SIDE * SIDE), np.uint8)
    images, parsed = to_images(values, what, check), parse_labels(labels, f"{what}, column label,")
    notes = [columns.note] if columns.note else []
    return Found(Part(images, parsed), notes=notes)


def _read_columns(rows: Iterator[Row], what: str) -> tuple[_Columns, Iterator[Row]]:
    """The columns by the header, or by the first lines where there is none; and the rows with pixels."""
    first = next(rows, (0, []))
    names = [column.strip().lower() for column in first[1]]
    labels = [at for at, name in enumerate(names) if name in LABEL_COLUMNS]
    dropped = frozenset([len(names) - 1]) if len(names) > 2 and not names[-1] else frozenset[int]()
    if len(labels) == 1:
        # A table that somebody saved with its line numbers.
        if names[0] in INDEX_COLUMNS and labels != [0] and square_side(len(names) - len(dropped) - 2):
            dropped |= {0}
        return _checked(_Columns(len(names), labels[0], dropped), what), rows
    if labels or len(names) < 2 or not all(map(_is_number, names)):
        raise LabelsMissing(
            f"{what} was read as CSV, but {_shown(names)} in its first line, which should name one column `label` and "
            f"those of the pixels, 784 for 28×28. {KINDS}"
        )
    is_header = sum(bool(REPEATED.fullmatch(name)) for name in names[1:]) > len(names) / 2
    head = [*([] if is_header else [first]), *islice(rows, LOOKED_AT_ROWS)]
    label = 0 if len({row[0] for _, row in head}) > 1 or len({row[-1] for _, row in head}) == 1 else len(names) - 1
    note = f"{what} has no column called label: the {'last' if label else 'first'} was taken for the labels."
    return _checked(_Columns(len(names), label, dropped, note), what), chain(head, rows)


def _checked(columns: _Columns, what: str) -> _Columns:
    pixels = columns.count - 1 - len(columns.dropped)
    if not square_side(pixels):
        raise DatasetInvalid(
            f"{what} has {pixels} columns beside `label`; expected {SIDE * SIDE}, the pixels of 28×28 images, or those "
            "of a square of another size."
        )
    return columns


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


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
