"""Reads a table submitted with the images, such as `manifest.csv`, with ids, form numbers or true labels.

Its columns are added to the results. One column names the image, by its path in the archive or from the manifest; one
may have the true label. `matching` finds the named images.
"""

import csv
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from tenfold.files.names import IMAGE_SUFFIXES
from tenfold.trainer.files.class_names import ClassNames
from tenfold.worker.classification.results import ROWS, SHADOW
from tenfold.worker.errors import ArchiveError

# In order of preference.
NAME_COLUMNS = (
    *("name", "file", "filename", "file_name", "image", "image_name", "img", "path", "filepath", "file_path"),
    *("image_path", "img_path", "member", "image_id", "id"),
)
TRUE_LABEL_COLUMNS = ("truth", "true_label", "ground_truth", "label", "digit")
# May be something else, such as a school class: used only if all its cells are classes of the model.
UNCERTAIN_LABEL_COLUMN = "class"

DELIMITERS = ",;\t|"
SPACE = " "

# Internal column: the true label as written in the manifest.
TRUTH = "truth of the manifest"


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was read.

    Args:
        file: the name of the archive's member.
        rows: `name`, `TRUTH` as it is written, and the manifest's other columns, all text. A column that has the name
            of one of the results' own is called `manifest_<name>`. A row for each name.
        true_label_column: the column that gives the truth, None where none does.
        has_header: whether its first line has the columns' names.
        duplicate_rows: number of rows that name an image again; they are ignored.
    """

    file: str
    rows: pl.DataFrame
    true_label_column: str | None
    has_header: bool
    duplicate_rows: int

    @property
    def about(self) -> dict[str, Any]:
        """Figures for the job's row."""
        return {
            "file": self.file,
            "rows": len(self.rows) + self.duplicate_rows,
            "true_label_column": self.true_label_column,
            "has_header": self.has_header,
            "duplicate_rows": self.duplicate_rows,
        }


def read_manifest(data: bytes, member_name: str, classes: ClassNames) -> Manifest:
    """Read a manifest: CSV in UTF-8, UTF-16 or Latin-1, separated by commas, semicolons or tabs.

    The first line has the columns' names, unless one of its cells is the name of an image file.

    Args:
        member_name: the manifest's own, for the folder that its names are from.
        classes: those of the model.

    Raises:
        ArchiveError: it is not a table, or has no column with image names.
    """
    try:
        return _tidied(*_read(data), member_name, classes)
    except PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise ArchiveError(f"{member_name} is not a readable table: {reason}. Correct or remove it.") from error


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
            f"{member_name} has no column with image names: its columns are {', '.join(table.columns)}. "
            f"Name one of them {NAME_COLUMNS[0]!r}, or remove the file."
        )
    others = [column for column in table.columns if column != naming]
    label_column = _true_label_column(table.select(others), has_header, classes)
    kept = table.drop_nulls(naming)
    rows = kept.select(
        _full_name(pl.col(naming), PurePosixPath(member_name).parent).alias("name"),
        (pl.col(label_column) if label_column else pl.lit(None, pl.String)).alias(TRUTH),
        *(pl.col(column).alias(_own_name(column)) for column in others if column != label_column),
    ).unique("name", keep="first", maintain_order=True)
    return Manifest(member_name, rows, label_column, has_header, duplicate_rows=len(kept) - len(rows))


def _naming_column(table: pl.DataFrame, has_header: bool) -> str | None:
    """The column with a known name, else the first in which most cells are image file names."""
    named = _first_of(NAME_COLUMNS, table.columns) if has_header else None
    by_content = (column for column in table.columns if _names_images(table[column]))
    return named or next(by_content, None)


def _true_label_column(others: pl.DataFrame, has_header: bool, classes: ClassNames) -> str | None:
    named = _first_of(TRUE_LABEL_COLUMNS, others.columns)
    if named or not has_header:
        return named or next((column for column in others.columns if _all_classes(others[column], classes)), None)
    uncertain = _first_of((UNCERTAIN_LABEL_COLUMN,), others.columns)
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
    return f"manifest_{column}" if column in ROWS or column in SHADOW else column


def _delimiter(first_line: str) -> str:
    try:
        return csv.Sniffer().sniff(first_line, DELIMITERS).delimiter
    except csv.Error:  # one column only, or separated by spaces
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
