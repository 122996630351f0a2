"""Reads images whose classes are in a table: `train_images/` and `train.csv`, or a `metadata.csv` in each folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath
from typing import IO

from tenfold.trainer.data.importing import refusals
from tenfold.trainer.data.importing.archives import Archive
from tenfold.trainer.data.importing.found import CHECK_EVERY, Check, Found
from tenfold.trainer.data.importing.pictures import Labeled, read_labeled
from tenfold.trainer.data.importing.preprocessing import Wanted
from tenfold.trainer.data.importing.refusals import refuse_damage
from tenfold.trainer.data.importing.tables import csv_rows
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.files.class_names import comparable
from tenfold.trainer.files.splits import Part, part_for_test, part_named, tell_split

LABEL_COLUMNS = (
    "label",
    "labels",
    "class",
    "class_name",
    "classname",
    "target",
    "category",
    "truth",
    "true_label",
    "y",
)
SPLIT_COLUMNS = ("split", "set", "subset", "usage", "partition")

# Tables with more columns contain pixels.
MAX_COLUMNS = 50
SAMPLED_ROWS = 200
# The share of the sampled rows that must name an image of the archive.
MIN_MATCHED = 0.5


@dataclass(frozen=True)
class _Table:
    """A table whose column `name` names images of the archive, and whose column `label` has their classes."""

    path: PurePosixPath
    name: int
    label: int
    split: int | None
    columns: Sequence[str]


def read_listed(
    archive: Archive,
    images: Sequence[PurePosixPath],
    tables: Sequence[PurePosixPath],
    check: Check,
    wanted: Wanted,
) -> Found | None:
    """Read the images that tables of the archive name; None if no table names any.

    Raises:
        DatasetInvalid: a table names images, but its class column can't be determined.
    """
    names = _Names(images)
    found = [table for path in tables if not _is_sample(path) and (table := _detect_table(archive, path, names))]
    if not found:
        return None
    labels: dict[PurePosixPath, tuple[str, Part | None, str]] = {}
    notes = []
    for table in found:
        matched, missed = _read_table(archive, table, names, check)
        labels |= matched
        notes.append(
            f"The classes are from the column {table.columns[table.label]!r} of {table.path}: {len(matched):,} of its "
            f"{len(matched) + missed:,} rows name an image."
        )
    for_test = part_for_test({part for _, part, _ in labels.values()})
    called: dict[Part, set[str]] = {}
    for _, part, name in labels.values():
        if part is not None:
            called.setdefault(part, set()).add(name)
    labeled = [
        Labeled(path, label, for_test is not None and part is for_test) for path, (label, part, _) in labels.items()
    ]
    for path in images:
        if path not in labels:
            archive.skipped.add("images without a row in a table", path)
    result = read_labeled(archive, labeled, check, wanted)
    return replace(result, notes=[tell_split(called), *notes, *result.notes])


def _is_sample(path: PurePosixPath) -> bool:
    """Kaggle's `sample_submission.csv` shows the format of a submission: its classes are made up."""
    return "submission" in path.name.lower()


class _Names:
    """Finds an image by its path, its name, or its name without the suffix."""

    def __init__(self, images: Sequence[PurePosixPath]) -> None:
        self._paths = {comparable(str(path)): path for path in images}
        self._names = self._unique({path: comparable(path.name) for path in images})
        self._stems = self._unique({path: comparable(path.stem) for path in images})

    def find(self, cell: str, folder: PurePosixPath) -> PurePosixPath | None:
        """The image, or None; `folder` is the table's."""
        text = comparable(cell.replace("\\", "/"))
        if not text:
            return None
        path = PurePosixPath(text)
        return (
            self._paths.get(str(folder / path))
            or self._paths.get(str(path))
            or self._names.get(path.name)
            or self._stems.get(path.name)
        )

    @staticmethod
    def _unique(names: Mapping[PurePosixPath, str]) -> Mapping[str, PurePosixPath]:
        counts = Counter(names.values())
        return {name: path for path, name in names.items() if counts[name] == 1}


def _open(archive: Archive, path: PurePosixPath) -> IO[bytes]:
    with refuse_damage(archive.name(path)):
        return archive.open(path)


def _detect_table(archive: Archive, path: PurePosixPath, names: _Names) -> _Table | None:
    with _open(archive, path) as file:
        rows = list(islice(csv_rows(file, archive.name(path)), SAMPLED_ROWS + 1))
    if len(rows) < 2 or not 2 <= len(rows[0][1]) <= MAX_COLUMNS:
        return None
    header = [cell.strip() for cell in rows[0][1]]
    # A class can have the same name as an image, but each image is named once.
    matched = [
        len({names.find(row[column], path.parent) for _, row in rows[1:] if column < len(row)} - {None})
        for column in range(len(header))
    ]
    name = max(range(len(header)), key=matched.__getitem__)
    if matched[name] < MIN_MATCHED * (len(rows) - 1):
        return None
    called = [cell.lower() for cell in header]
    label = next((called.index(word) for word in LABEL_COLUMNS if word in called), None)
    split = next((called.index(word) for word in SPLIT_COLUMNS if word in called), None)
    if label is None:
        others = [column for column in range(len(header)) if column not in (name, split) and called[column]]
        if len(others) != 1:
            raise DatasetInvalid(
                f"{path} names images in its column {header[name]!r}, but it isn't clear which of its columns "
                f"{', '.join(header)[:200]} has their classes. Name that column `label`."
            )
        label = others[0]
    return _Table(path, name, label, split, header)


def _read_table(
    archive: Archive, table: _Table, names: _Names, check: Check
) -> tuple[dict[PurePosixPath, tuple[str, Part | None, str]], int]:
    """The class, the part and the part's name of each image in the table; and the number of rows without an image."""
    found: dict[PurePosixPath, tuple[str, Part | None, str]] = {}
    missed = 0
    by_file = part_named(table.path.stem)
    needed = max(table.name, table.label)
    with _open(archive, table.path) as file:
        rows = csv_rows(file, archive.name(table.path))
        next(rows)
        for index, (_, row) in enumerate(rows):
            if index % CHECK_EVERY == 0:
                check()
                refusals.refuse_too_many(index)
            path = names.find(row[table.name], table.path.parent) if len(row) > needed else None
            if path is None or not row[table.label].strip():
                missed += 1
                continue
            part, called = by_file.part if by_file else None, str(table.path)
            for folder in path.parts[:-1]:
                if (named := part_named(folder)) and named.certain:
                    part, called = named.part, folder
            if table.split is not None and table.split < len(row) and (named := part_named(row[table.split])):
                part, called = named.part, row[table.split].strip()
            found[path] = (row[table.label].strip(), part, called)
    return found, missed
