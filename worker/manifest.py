"""A table that came with the images, such as `manifest.csv`: an id, a form's number, the truth.

Its columns come back beside each answer. One column names the image, by its path in the archive or from the manifest's
own folder; one may give the truth. `manifest_matching` finds the images that it names.
"""

import csv
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from trainer.naming.class_names import ClassNames
from worker.errors import ArchiveError
from worker.results import ROWS
from worker.sources.names import IMAGE_SUFFIXES

# In this order: a column of a later name counts only where none has an earlier one.
NAME_COLUMNS = (
    *("name", "file", "filename", "file_name", "image", "image_name", "img", "path", "filepath", "file_path"),
    *("image_path", "img_path", "member", "image_id", "id"),
)
TRUTH_COLUMNS = ("truth", "true_label", "ground_truth", "label", "digit")
# A school class or a class of defects as well: a truth only where each of its cells is a class of the model.
UNCERTAIN_TRUTH_COLUMN = "class"

DELIMITERS = ",;\t|"
SPACE = " "

# The truth as the manifest has it; no column of a result or of a person.
TRUTH = "truth of the manifest"


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was read.

    Args:
        file: the name of the archive's member.
        rows: `name`, `TRUTH` as it is written, and the manifest's other columns, all text. A column that has the name
            of one of the results' own is called `manifest_<name>`. A row for each name.
        truth_column: the column that gives the truth, None where none does.
        has_header: whether its first line has the columns' names.
        duplicates: rows that name an image which an earlier row has named. They are left out.
    """

    file: str
    rows: pl.DataFrame
    truth_column: str | None
    has_header: bool
    duplicates: int

    @property
    def about(self) -> dict[str, Any]:
        """What is known without the images, for the job's row."""
        return {
            "file": self.file,
            "rows": len(self.rows) + self.duplicates,
            "truth_column": self.truth_column,
            "has_header": self.has_header,
            "duplicates": self.duplicates,
        }


def read_manifest(data: bytes, member_name: str, classes: ClassNames) -> Manifest:
    """The manifest in these bytes: CSV in UTF-8, UTF-16 or Latin-1, divided by commas, semicolons or tabs.

    The first line has the columns' names, unless one of its cells is the name of an image file.

    Args:
        member_name: the manifest's own, for the folder that its names are from.
        classes: those of the model.

    Raises:
        ArchiveError: it has no column that names the images, or is no table.
    """
    try:
        return _tidied(*_read(data), member_name, classes)
    except PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise ArchiveError(
            f"{member_name} is not a table that can be read: {reason}. Correct it, or leave it out."
        ) from error


def _read(data: bytes) -> tuple[pl.DataFrame, bool]:
    """The table, and whether it has a header."""
    text = _decoded(data)
    first_line = text.lstrip("\r\n").partition("\n")[0]
    separator = _delimiter(first_line)
    has_header = not any(_is_image_name(cell) for cell in next(csv.reader([first_line], delimiter=separator), []))
    table = pl.read_csv(
        text.encode(), separator=separator, has_header=has_header, infer_schema=False, truncate_ragged_lines=True
    )
    return table, has_header


def _decoded(data: bytes) -> str:
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig",)
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _tidied(table: pl.DataFrame, has_header: bool, member_name: str, classes: ClassNames) -> Manifest:
    table = table.rename(str.strip).with_columns(pl.all().str.strip_chars().replace("", None))
    naming = _naming_column(table, has_header)
    if naming is None:
        raise ArchiveError(
            f"{member_name} has no column that names the images: its columns are {', '.join(table.columns)}. "
            f"Call one of them {NAME_COLUMNS[0]!r}, or leave the file out."
        )
    others = [column for column in table.columns if column != naming]
    telling = _truth_column(table.select(others), has_header, classes)
    kept = table.drop_nulls(naming)
    rows = kept.select(
        _full_name(pl.col(naming), PurePosixPath(member_name).parent).alias("name"),
        (pl.col(telling) if telling else pl.lit(None, pl.String)).alias(TRUTH),
        *(pl.col(column).alias(_own_name(column)) for column in others if column != telling),
    ).unique("name", keep="first", maintain_order=True)
    return Manifest(member_name, rows, telling, has_header, duplicates=len(kept) - len(rows))


def _naming_column(table: pl.DataFrame, has_header: bool) -> str | None:
    """The column whose name says so, else one in which most cells are names of image files."""
    named = _first_of(NAME_COLUMNS, table.columns) if has_header else None
    by_content = (column for column in table.columns if _names_images(table[column]))
    return named or next(by_content, None)


def _truth_column(others: pl.DataFrame, has_header: bool, classes: ClassNames) -> str | None:
    named = _first_of(TRUTH_COLUMNS, others.columns)
    if named or not has_header:
        return named or next((column for column in others.columns if _all_classes(others[column], classes)), None)
    uncertain = _first_of((UNCERTAIN_TRUTH_COLUMN,), others.columns)
    return uncertain if uncertain and _all_classes(others[uncertain], classes) else None


def _all_classes(cells: pl.Series, classes: ClassNames) -> bool:
    values = cells.drop_nulls().unique().to_list()
    return bool(values) and all(classes.of_cell(value) is not None for value in values)


def _names_images(cells: pl.Series) -> bool:
    given = cells.drop_nulls()
    return len(given) > 0 and sum(map(_is_image_name, given)) * 2 > len(given)


def _is_image_name(cell: str) -> bool:
    base, dot, suffix = cell.strip().rpartition(".")
    return bool(base) and (dot + suffix).lower() in IMAGE_SUFFIXES


def _own_name(column: str) -> str:
    return f"manifest_{column}" if column in ROWS else column


def _delimiter(first_line: str) -> str:
    try:
        return csv.Sniffer().sniff(first_line, DELIMITERS).delimiter
    except csv.Error:  # one column only, or columns divided by spaces
        return SPACE if _is_image_name(first_line.partition(SPACE)[0]) else ","


def _first_of(wanted: tuple[str, ...], columns: list[str]) -> str | None:
    by_lowered = {column.lower(): column for column in reversed(columns)}
    return next((by_lowered[name] for name in wanted if name in by_lowered), None)


def _full_name(names: pl.Expr, folder: PurePosixPath) -> pl.Expr:
    cleaned = names.str.replace_all("\\", "/", literal=True).str.strip_prefix("./")
    if not folder.parts:
        return cleaned
    prefix = f"{folder}/"
    return pl.when(cleaned.str.starts_with(prefix)).then(cleaned).otherwise(pl.lit(prefix) + cleaned)
