"""The results of a classification: a row for each image, in the archive's order, as CSV, JSON lines and Parquet.

Each shard writes its rows for the merge to read, and the lines that they are in the two text formats, which the merge
only puts one after the other.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from worker.csv_cells import FORMULA, NUMBER, as_cell
from worker.storage.whole import synced_beside, write_whole

# A row with an error has nulls from `label` on. `row` counts the archive's images from 0; `accepted` says that nobody
# need look at the answer.
ROWS = pl.Schema(
    {
        "row": pl.UInt32(),
        "name": pl.String(),
        "label": pl.String(),
        "confidence": pl.Float64(),
        "accepted": pl.Boolean(),
        "quality": pl.String(),
        "runner_up": pl.String(),
        "runner_up_confidence": pl.Float64(),
        "top_labels": pl.List(pl.String),
        "top_confidences": pl.List(pl.Float64),
        "novelty": pl.Float64(),
        "normalisation": pl.String(),
        "polarity": pl.String(),
        "truth": pl.String(),
        "shard": pl.UInt32(),
        "error_kind": pl.String(),
        "error": pl.String(),
    }
)

# Pictures of an image as files: the original, and what the model saw.
PICTURES = pl.Schema({"row": pl.UInt32(), "original": pl.Binary(), "seen": pl.Binary()})

# Text that is never a stranger's.
NO_FORMULAS = ("quality", "top_confidences", "normalisation", "polarity", "error_kind")

# The two formats that are text.
LINES, TABLE = ".jsonl", ".csv"

COPIED_BYTES = 2**20

# Answers that a person should look at.
DOUBTFUL = pl.col("label").is_not_null() & pl.col("accepted").not_()


def write_shard(rows: pl.DataFrame, pictures: pl.DataFrame, path: Path) -> Sequence[Path]:
    """Write a shard's rows (`ROWS`), some with pictures (`PICTURES`), in Arrow's format, and their lines beside it.

    Returns:
        all files that were written.
    """
    lines, table = path.with_suffix(LINES), path.with_suffix(TABLE)
    with synced_beside() as sync:
        rows.write_ndjson(lines)
        sync(lines)
        _as_text(rows.lazy()).collect().write_csv(table, include_header=False)
        sync(table)
        with write_whole(path) as file:
            rows.join(pictures, on="row", how="left", maintain_order="left").write_ipc(file)
    return path, lines, table


def read_shards(paths: Sequence[Path]) -> pl.LazyFrame:
    """The rows of these shards, one after the other; they are read when they are used, and never all at once."""
    return pl.concat([pl.scan_ipc(path).select(ROWS.names()) for path in paths])


def read_pictures(paths: Sequence[Path]) -> pl.LazyFrame:
    """The pictures that these shards have; those that a worker of version 0.1.0 wrote have none."""
    drawn = [pl.scan_ipc(path).select(PICTURES.names()) for path in paths if "original" in pl.read_ipc_schema(path)]
    return pl.concat([PICTURES.to_frame().lazy(), *drawn]).filter(pl.col("original").is_not_null())


def write_results(rows: pl.LazyFrame, directory: Path, check: Callable[[], None], shards: Sequence[Path] = ()) -> None:
    """Write `results.jsonl`, `results.csv` and `results.parquet`; in CSV, what begins like a formula is quoted.

    Args:
        directory: nobody looks into it yet. The smallest file comes last, so that the others are on disk by then.
        check: called before each file; may raise to stop.
        shards: those that the rows are of, where nothing was added to them: their lines are taken. Workers of version
            0.1.0 wrote none, and then all lines are made of the rows.
    """
    lines, table, columns = (directory / f"results{suffix}" for suffix in (LINES, TABLE, ".parquet"))
    with synced_beside() as sync:
        check()
        if parts := _beside(shards, LINES):
            _concatenate(b"", parts, lines)
        else:
            rows.sink_ndjson(lines)
        sync(lines)
        check()
        if parts := _beside(shards, TABLE):
            _concatenate(_as_text(ROWS.to_frame().lazy()).collect().write_csv().encode(), parts, table)
        else:
            _as_text(rows).rename(as_cell).sink_csv(table)
        sync(table)
        check()
        rows.sink_parquet(columns)
        sync(columns)


def _beside(shards: Sequence[Path], suffix: str) -> Sequence[Path]:
    """The lines that these shards have beside them, where all of them have."""
    parts = [path.with_suffix(suffix) for path in shards]
    return parts if all(part.exists() for part in parts) else []


def _concatenate(start: bytes, parts: Sequence[Path], path: Path) -> None:
    with path.open("wb") as whole:
        whole.write(start)
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole, COPIED_BYTES)


def _as_text(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows as cells of CSV."""
    flat = rows.with_columns(
        pl.col("top_labels").list.join(" "), pl.col("top_confidences").cast(pl.List(pl.String)).list.join(" ")
    )
    return flat.with_columns(_as_cells(pl.col(pl.String).exclude(NO_FORMULAS)))


def _as_cells(texts: pl.Expr) -> pl.Expr:
    """`csv_cells.as_cell` of whole columns."""
    formulas = texts.str.contains(FORMULA) & texts.str.contains(NUMBER).not_()
    return pl.when(formulas).then(pl.lit("'") + texts).otherwise(texts).name.keep()
