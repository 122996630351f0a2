"""The results of a classification: a row for each image, in the archive's order, as CSV, JSON lines and Parquet.

Each shard writes its rows in Arrow's format, and as lines of both text formats, which the merge only concatenates.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from tenfold.worker.classification.csv_cells import FORMULA, NUMBER, as_cell
from tenfold.worker.classification.earlier_results import VALUES, renamed_columns
from tenfold.worker.storage.whole import atomic_write, synced_beside

# A row with an error has nulls from `prediction` on. `row` counts the archive's images from 0; an `accepted` answer
# needs no review.
ROWS = pl.Schema(
    {
        "row": pl.UInt32(),
        "name": pl.String(),
        "prediction": pl.String(),
        "confidence": pl.Float64(),
        "accepted": pl.Boolean(),
        "quality": pl.String(),
        "runner_up": pl.String(),
        "runner_up_confidence": pl.Float64(),
        "top_predictions": pl.List(pl.String),
        "top_confidences": pl.List(pl.Float64),
        "novelty": pl.Float64(),
        "normalization": pl.String(),
        "polarity": pl.String(),
        "true_label": pl.String(),
        "shard": pl.UInt32(),
        "error_kind": pl.String(),
        "error": pl.String(),
    }
)

# The last columns of a classification with a shadow model: its answer.
SHADOW = pl.Schema({"shadow_prediction": pl.String(), "shadow_confidence": pl.Float64()})

# Image files: a thumbnail of the original, and the model input.
PICTURES = pl.Schema({"row": pl.UInt32(), "original": pl.Binary(), "model_input": pl.Binary()})

# Columns without untrusted text.
NO_FORMULAS = ("quality", "top_confidences", "normalization", "polarity", "error_kind")

# The text formats.
LINES, TABLE = ".jsonl", ".csv"

COPIED_BYTES = 2**20

# Answers to review.
DOUBTFUL = pl.col("prediction").is_not_null() & pl.col("accepted").not_()


def write_shard(rows: pl.DataFrame, pictures: pl.DataFrame, path: Path) -> Sequence[Path]:
    """Write a shard's rows (`ROWS`), some with pictures (`PICTURES`), in Arrow's format, and their lines.

    Returns:
        the written files.
    """
    lines, table = path.with_suffix(LINES), path.with_suffix(TABLE)
    with synced_beside() as sync:
        rows.write_ndjson(lines)
        sync(lines)
        _as_text(rows.lazy()).collect().write_csv(table, include_header=False)
        sync(table)
        with atomic_write(path) as file:
            rows.join(pictures, on="row", how="left", maintain_order="left").write_ipc(file)
    return path, lines, table


def read_shards(paths: Sequence[Path]) -> pl.LazyFrame:
    """The rows of these shards, read lazily and as a stream."""
    columns = columns_of(paths).names()
    return pl.concat([current_rows(pl.scan_ipc(path)).select(columns) for path in paths])


def columns_of(shards: Sequence[Path]) -> pl.Schema:
    """The columns of these shards, which all have those of the shadow model or none has."""
    shadowed = bool(shards) and pl.read_ipc_schema(shards[0]).keys() >= SHADOW.keys()
    return schema_of(shadow=shadowed)


def schema_of(*, shadow: bool) -> pl.Schema:
    """The columns of a classification's rows, with those of a shadow model or without."""
    return pl.Schema({**ROWS, **SHADOW}) if shadow else ROWS


def current_rows(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows of shards or results under their present names, also where version 0.1.0 wrote them."""
    names = renamed_columns(rows.collect_schema().names())
    if not names:
        return rows
    return rows.rename(names).with_columns(pl.col(column).replace(values) for column, values in VALUES.items())


def read_pictures(paths: Sequence[Path]) -> pl.LazyFrame:
    """The pictures that these shards have; those of version 0.1.0 have none."""
    drawn = [current_rows(pl.scan_ipc(path)) for path in paths if "original" in pl.read_ipc_schema(path)]
    drawn = [rows.select(PICTURES.names()) for rows in drawn]
    return pl.concat([PICTURES.to_frame().lazy(), *drawn]).filter(pl.col("original").is_not_null())


def write_results(rows: pl.LazyFrame, directory: Path, check: Callable[[], None], shards: Sequence[Path] = ()) -> None:
    """Write `results.jsonl`, `results.csv` and `results.parquet`; in CSV, formulas are escaped.

    Args:
        directory: not published yet. The smallest file is written last, while the others are synced.
        check: called before each file; may raise to stop.
        shards: if the rows are exactly those of the shards, their lines are copied, unless a worker of version 0.1.0
            wrote one of them.
    """
    lines, table, columns = (directory / f"results{suffix}" for suffix in (LINES, TABLE, ".parquet"))
    with synced_beside() as sync:
        check()
        if parts := _lines(shards, LINES):
            _concatenate(b"", parts, lines)
        else:
            rows.sink_ndjson(lines)
        sync(lines)
        check()
        if parts := _lines(shards, TABLE):
            _concatenate(_as_text(columns_of(shards).to_frame().lazy()).collect().write_csv().encode(), parts, table)
        else:
            _as_text(rows).rename(as_cell).sink_csv(table)
        sync(table)
        check()
        rows.sink_parquet(columns)
        sync(columns)


def _lines(shards: Sequence[Path], suffix: str) -> Sequence[Path]:
    """The files with these shards' lines, if all have the present columns."""
    current = all(ROWS.keys() <= pl.read_ipc_schema(path).keys() for path in shards)
    return [path.with_suffix(suffix) for path in shards] if current else []


def _concatenate(start: bytes, parts: Sequence[Path], path: Path) -> None:
    with path.open("wb") as whole:
        whole.write(start)
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole, COPIED_BYTES)


def _as_text(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows as CSV cells."""
    flat = rows.with_columns(
        pl.col("top_predictions").list.join(" "), pl.col("top_confidences").cast(pl.List(pl.String)).list.join(" ")
    )
    return flat.with_columns(_as_cells(pl.col(pl.String).exclude(NO_FORMULAS)))


def _as_cells(texts: pl.Expr) -> pl.Expr:
    """`csv_cells.as_cell` for whole columns."""
    formulas = texts.str.contains(FORMULA) & texts.str.contains(NUMBER).not_()
    return pl.when(formulas).then(pl.lit("'") + texts).otherwise(texts).name.keep()
