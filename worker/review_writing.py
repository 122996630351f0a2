"""Writes a classification's review queue (`review_queue`) when its shards are merged."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import polars as pl

from worker.classification import INDEX
from worker.inputs import input_of
from worker.leases import Lease
from worker.preparing import Preparation
from worker.results import DOUBTFUL, read_pictures
from worker.review_drawing import Picture, draw_anew
from worker.review_queue import FILE, SCHEMA
from worker.services import Services
from worker.sources import open_source, read_places
from worker.storage.whole import write_directory_whole

# How many rows, and how many pictures, are held at a time.
CHUNK_ROWS = 20_000
CHUNK_PICTURES = 500

COLUMNS = ("row", "name", "label", "confidence", "runner_up", "runner_up_confidence", "quality", "novelty", "truth")

SORTED = f"""
INSERT INTO items
SELECT row_number() OVER (ORDER BY confidence, row) - 1, {", ".join(COLUMNS)} FROM unsorted
"""  # nosec B608


def write_review(
    services: Services,
    lease: Lease,
    directory: Path,
    preparation: Preparation,
    rows: pl.LazyFrame,
    shard_paths: Sequence[Path],
    check: Callable[[], None],
) -> None:
    """Write the answers that are not accepted, and pictures of the `max_review_images` least certain of them.

    Args:
        lease: of the merge.
        directory: made by this.
        preparation: as the shards prepared the images.
        rows: those of `results.ROWS`.
        shard_paths: where the shards' rows are, with the pictures that they drew.
        check: called now and then; may raise to stop.

    Raises:
        ArchiveError: what was handed in is gone or damaged.
    """
    settings, work = services.settings, services.volume.work(lease.job_id)
    with (
        write_directory_whole(directory) as written,
        closing(sqlite3.connect(written / FILE, isolation_level=None)) as database,
    ):
        # Nobody sees this file before it is whole and on disk.
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA}")
        _write_items(database, rows)
        least = [
            row
            for (row,) in database.execute(
                "SELECT row FROM items WHERE place < ? ORDER BY row", (settings.max_review_images,)
            )
        ]
        drawn = _copy_drawn(database, shard_paths, least)
        lacking = [row for row in least if row not in drawn]
        with open_source(input_of(services.volume, lease.job_id, lease.parameters), work) as source:
            positions = read_places(work / INDEX, lacking)
            _write_pictures(database, draw_anew(source, lacking, positions, preparation, settings, check))


def _write_items(database: sqlite3.Connection, rows: pl.LazyFrame) -> None:
    """SQLite sorts them, on disk where there are many."""
    doubtful = rows.filter(DOUBTFUL).select(COLUMNS)
    database.execute(f"CREATE TEMP TABLE unsorted ({', '.join(COLUMNS)})")
    database.execute("BEGIN")
    for batch in doubtful.collect_batches(chunk_size=CHUNK_ROWS):
        marks = ", ".join("?" * len(COLUMNS))
        database.executemany(f"INSERT INTO unsorted VALUES ({marks})", batch.iter_rows())  # nosec B608
    database.execute(SORTED)
    database.execute("DROP TABLE unsorted")
    database.execute("COMMIT")


def _copy_drawn(database: sqlite3.Connection, shard_paths: Sequence[Path], rows: Sequence[int]) -> set[int]:
    """The pictures that the shards drew of these rows, a few at a time: each may have some ten thousand bytes.

    Returns:
        the rows that have been drawn.
    """
    drawn: set[int] = set()
    wanted = pl.Series(rows, dtype=pl.UInt32)
    pictures = read_pictures(shard_paths).filter(pl.col("row").is_in(wanted.implode()))
    for batch in pictures.collect_batches(chunk_size=CHUNK_PICTURES):
        _write_pictures(database, batch.iter_rows())
        drawn.update(batch["row"])
    return drawn


def _write_pictures(database: sqlite3.Connection, pictures: Iterable[Picture]) -> None:
    database.execute("BEGIN")
    database.executemany("INSERT INTO pictures VALUES (?, ?, ?)", pictures)
    database.execute("COMMIT")
