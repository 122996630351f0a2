"""A table that came with the images, `manifest.csv`: an id, a form's number, the truth; whatever is known of each.

Its columns come back beside each answer. One column names the image, by its path in the archive or from the manifest's
own folder; one may give the truth.
"""

import csv
from pathlib import PurePosixPath

import polars as pl
from polars.exceptions import PolarsError

from worker.errors import ArchiveError
from worker.results import ROWS

NAME_COLUMNS = ("name", "file", "filename", "image", "path", "member")
TRUTH_COLUMNS = ("truth", "label", "digit", "class")

DELIMITERS = ",;\t|"

# The truth as the manifest has it; no column of a result or of a person.
TRUTH = "truth of the manifest"


def read_manifest(data: bytes, member_name: str) -> pl.DataFrame:
    """The manifest in these bytes: CSV with a header, in UTF-8 or Latin-1, divided by commas, semicolons or tabs.

    Returns:
        `name` of the archive's member, `TRUTH`, and the manifest's other columns, all text. A column that has the name
        of one of the results' own is called `manifest_<name>`. Of two lines for one image the first counts.

    Args:
        member_name: the manifest's own, for the folder that its names are from.

    Raises:
        ArchiveError: it has no column that names the images, or is no table.
    """
    try:
        return _tidied(_read(data), member_name)
    except PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise ArchiveError(
            f"{member_name} is no table that can be read: {reason}. Mend it, or leave it out."
        ) from error


def join_manifest(rows: pl.LazyFrame, manifest: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with the manifest's columns beside them; its truth replaces the folder's."""
    joined = rows.join(manifest, on="name", how="left", maintain_order="left")
    return joined.with_columns(truth=pl.coalesce(TRUTH, "truth")).drop(TRUTH)


def _read(data: bytes) -> pl.DataFrame:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    separator = _delimiter(text.partition("\n")[0])
    return pl.read_csv(text.encode(), separator=separator, infer_schema=False, truncate_ragged_lines=True)


def _tidied(table: pl.DataFrame, member_name: str) -> pl.DataFrame:
    table = table.rename(str.strip)
    naming = _first_of(NAME_COLUMNS, table.columns)
    if naming is None:
        raise ArchiveError(
            f"{member_name} has no column that names the images: its columns are {', '.join(table.columns)}. "
            f"Call one of them {NAME_COLUMNS[0]!r}, or leave the file out."
        )
    telling = _first_of(TRUTH_COLUMNS, [column for column in table.columns if column != naming])
    others = [column for column in table.columns if column not in (naming, telling)]
    stripped = table.with_columns(pl.all().str.strip_chars().replace("", None)).drop_nulls(naming)
    return stripped.select(
        _full_name(pl.col(naming), PurePosixPath(member_name).parent).alias("name"),
        (pl.col(telling) if telling else pl.lit(None, pl.String)).alias(TRUTH),
        *(pl.col(column).alias(f"manifest_{column}" if column in ROWS else column) for column in others),
    ).unique("name", keep="first", maintain_order=True)


def _delimiter(first_line: str) -> str:
    try:
        return csv.Sniffer().sniff(first_line, DELIMITERS).delimiter
    except csv.Error:  # one column only
        return ","


def _first_of(wanted: tuple[str, ...], columns: list[str]) -> str | None:
    by_lowered = {column.lower(): column for column in reversed(columns)}
    return next((by_lowered[name] for name in wanted if name in by_lowered), None)


def _full_name(names: pl.Expr, folder: PurePosixPath) -> pl.Expr:
    cleaned = names.str.replace_all("\\", "/", literal=True).str.strip_prefix("./")
    if not folder.parts:
        return cleaned
    prefix = f"{folder}/"
    return pl.when(cleaned.str.starts_with(prefix)).then(cleaned).otherwise(pl.lit(prefix) + cleaned)
