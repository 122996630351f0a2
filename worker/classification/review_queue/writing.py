"""Writes the review queue of a classification when its shards are merged."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import polars as pl

from tenfold.worker.classification.inputs import INDEX, input_of
from tenfold.worker.classification.results import DOUBTFUL, read_pictures
from tenfold.worker.classification.review_queue.drawing import Picture, draw_from_source
from tenfold.worker.classification.review_queue.queue import FILE, SCHEMA
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.models.preparing import Preparation
from tenfold.worker.services import Services
from tenfold.worker.sources import open_source, read_positions
from tenfold.worker.storage.whole import atomic_write_directory

# Rows and pictures in memory at a time.
CHUNK_ROWS = 20_000
CHUNK_PICTURES = 500

COLUMNS = (
    *("row", "name", "prediction", "confidence", "runner_up", "runner_up_confidence"),
    *("quality", "novelty", "true_label"),
)

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
    """Write the answers to review, with pictures of the `max_review_images` least certain.

    Args:
        lease: of the merge.
        directory: is created.
        preparation: that of the shards.
        rows: those of `results.ROWS`.
        shard_paths: the shards, with the pictures that they drew.
        check: called now and then; may raise to stop.

    Raises:
        ArchiveError: the input is missing or damaged.
    """
    settings, work = services.settings, services.volume.work(lease.job_id)
    with (
        atomic_write_directory(directory) as written,
        closing(sqlite3.connect(written / FILE, isolation_level=None)) as database,
    ):
        # The file is not visible before it is complete and synced.
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA}")
        _write_items(database, rows)
        least = [
            row
            for (row,) in database.execute(
                "SELECT row FROM items WHERE rank < ? ORDER BY row", (settings.max_review_images,)
            )
        ]
        drawn = _copy_drawn(database, shard_paths, least)
        missing = [row for row in least if row not in drawn]
        with open_source(input_of(services.volume, lease.job_id, lease.parameters), work) as source:
            positions = read_positions(work / INDEX, missing)
            _write_pictures(database, draw_from_source(source, missing, positions, preparation, settings, check))


def _write_items(database: sqlite3.Connection, rows: pl.LazyFrame) -> None:
    """Write the items sorted by confidence; SQLite sorts on disk if there are many."""
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
    """Copy the pictures of these rows that the shards drew, a few at a time.

    Returns:
        the rows that have pictures.
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
