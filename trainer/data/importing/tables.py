"""Reads CSV files with a label and the pixels of an image in each line: one, or `train.csv` and maybe `test.csv`."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from tenfold.trainer.data.importing.archives import Archive, unzipped
from tenfold.trainer.data.importing.found import CHECK_EVERY, Array, Check, Found, Part
from tenfold.trainer.data.importing.labels import check_name, parse_labels
from tenfold.trainer.data.importing.parts import look_upright, put_together
from tenfold.trainer.data.importing.pixels import square_side, to_images
from tenfold.trainer.data.importing.refusals import KINDS, refuse_damage, refuse_too_many, refuse_unless_text
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.files import splits
from tenfold.trainer.images import SIDE

LABEL_COLUMNS = frozenset(("label", "labels", "class", "target", "y"))
INDEX_COLUMNS = frozenset(("", "id", "index", "unnamed: 0"))

# Without a header the label is in the first column or the last: this many rows are examined.
SAMPLED_ROWS = 200

# Pandas' names for repeated numbers in a first line that it takes for a header: 0, 0.1, 0.2, …
REPEATED = re.compile(r"[0-9]+\.[0-9]+")

Row = tuple[int, list[str]]


class LabelsMissing(DatasetInvalid):
    """A CSV has no label column."""


@dataclass(frozen=True)
class _Columns:
    """The number of columns, the label's index, the indices of others without pixels, and a note on assumptions."""

    count: int
    label: int
    dropped: frozenset[int]
    note: str = ""


def read_csvs(archive: Archive, check: Check) -> Found:
    """Read the data set in the archive's CSV files. Test files without labels are skipped.

    Raises:
        DatasetInvalid: the files' names are ambiguous, or one can't be read.
    """
    paths = [path for path in archive.members if is_table(path)]
    named = {path: splits.part_named(path.name.partition(".")[0]) for path in paths}
    chosen: list[tuple[PurePosixPath, splits.Part | None]] = [(path, part.part) for path, part in named.items() if part]
    chosen = chosen or [(path, None) for path in paths[:1]]
    parts = [part for _, part in chosen]
    if len(set(parts)) < len(parts) or (len(paths) > 1 and splits.Part.TRAIN not in parts):
        raise DatasetInvalid(
            f"The {archive.what} contains {', '.join(map(str, paths[:5]))}; expected one train.csv, and optionally one "
            "test.csv."
        )
    read, notes, warnings = [], list[str](), list[str]()
    for path, part in chosen:
        with refuse_damage(archive.name(path)):
            file = archive.open(path)
        with file:
            try:
                found = read_csv(file, str(path), check)
            except LabelsMissing:
                if part in (splits.Part.TRAIN, None):
                    raise
                warnings.append(f"Skipped {path}, which has no label column.")
                continue
        read.append((str(path), part, found.train))
        notes += found.notes
        warnings += found.warnings
    for path in set(paths) - {path for path, _ in chosen}:
        archive.skipped.add("tables that don't belong to the data set", path)
    # As EMNIST's tables on Kaggle are; a copy may have been turned upright.
    is_emnist = any("emnist" in name.lower() for name, _, _ in read)
    is_transposed = is_emnist and not any(look_upright(part.images, part.labels) for _, _, part in read)
    together = put_together(read, is_transposed=is_transposed)
    return replace(together, notes=[*together.notes, *notes], warnings=[*together.warnings, *warnings])


def is_table(path: PurePosixPath) -> bool:
    """Whether the file's name is that of a CSV or TSV, gzipped or not."""
    return bool(re.search(r"\.(csv|tsv)(\.gz)?$", path.name.lower()))


def read_csv(file: IO[bytes], what: str, check: Check) -> Found:
    """Read a CSV file, gzipped or not, as one part; transposed images are not yet corrected (see `put_together`).

    Raises:
        LabelsMissing: there is no label column.
        DatasetInvalid: the file is not a CSV, or a line in it is invalid.
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
    warnings = [columns.note] if columns.note else []
    return Found(Part(images, parsed), warnings=warnings)


def _read_columns(rows: Iterator[Row], what: str) -> tuple[_Columns, Iterator[Row]]:
    """The columns, by the header or else by the first lines; and the rows with pixels."""
    first = next(rows, (0, []))
    names = [column.strip().lower() for column in first[1]]
    labels = [at for at, name in enumerate(names) if name in LABEL_COLUMNS]
    dropped = frozenset([len(names) - 1]) if len(names) > 2 and not names[-1] else frozenset[int]()
    if len(labels) == 1:
        # A table that was saved with its index.
        if names[0] in INDEX_COLUMNS and labels != [0] and square_side(len(names) - len(dropped) - 2):
            dropped |= {0}
        return _checked(_Columns(len(names), labels[0], dropped), what), rows
    if labels or len(names) < 2 or not all(map(_is_number, names)):
        raise LabelsMissing(
            f"{what} was read as CSV, but {_shown(names)} in its first line, which should name one column `label` and "
            f"the pixel columns, 784 for 28×28. {KINDS}"
        )
    is_header = sum(bool(REPEATED.fullmatch(name)) for name in names[1:]) > len(names) / 2
    head = [*([] if is_header else [first]), *islice(rows, SAMPLED_ROWS)]
    label = 0 if len({row[0] for _, row in head}) > 1 or len({row[-1] for _, row in head}) == 1 else len(names) - 1
    note = f"{what} has no column named label: the {'last' if label else 'first'} one was used."
    return _checked(_Columns(len(names), label, dropped, note), what), chain(head, rows)


def _checked(columns: _Columns, what: str) -> _Columns:
    pixels = columns.count - 1 - len(columns.dropped)
    if not square_side(pixels):
        raise DatasetInvalid(
            f"{what} has {pixels} columns beside `label`; expected {SIDE * SIDE}, the pixels of 28×28 images, or the "
            "number of pixels of another square."
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
    """Integers 0–255 as uint8, the usual and fast case; others as float32."""
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


MAX_LINE_CHARACTERS = 2**18

# The part of the first line that is examined.
PEEKED_BYTES = 4096


def csv_rows(file: IO[bytes], what: str) -> Iterator[tuple[int, list[str]]]:
    """The non-blank rows with their line numbers, separated by commas, semicolons or tabs; read one by one.

    Raises:
        DatasetInvalid: the file is not text, or not a CSV.
    """
    with refuse_damage(what):
        stream = unzipped(file)
        refuse_unless_text(stream.peek(1024)[:1024], what)
        reader = csv.reader(_lines(stream, what), delimiter=_delimiter(stream.peek(PEEKED_BYTES)))
        for row in reader:
            if row:
                yield reader.line_num, row


def _lines(stream: io.BufferedIOBase, what: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")  # type: ignore[type-var]
    number = 0
    while line := text.readline(MAX_LINE_CHARACTERS):
        number += 1
        if len(line) == MAX_LINE_CHARACTERS:
            raise DatasetInvalid(f"{what}, line {number}: longer than {MAX_LINE_CHARACTERS:,} characters. {KINDS}")
        yield line


def _delimiter(start: bytes) -> str:
    line = start[:PEEKED_BYTES].partition(b"\n")[0]
    return max(",;\t", key=lambda mark: line.count(mark.encode()))
