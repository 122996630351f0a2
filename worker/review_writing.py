"""Writes a classification's review queue (`review_queue`) when its shards are merged."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial

import polars as pl

from trainer.decoding import decode
from trainer.images import normalise
from trainer.thumbnails import picture_of, thumbnail
from worker.classification import INDEX, input_of
from worker.parameters import ClassificationParameters
from worker.reading import Problem, read_members
from worker.review_queue import FILE, SCHEMA
from worker.services import Services
from worker.sources import open_source, read_places
from worker.volume import write_directory_whole

# As large as a phone held upright shows it.
SIDE = 320

# How many rows are held at a time.
CHUNK_ROWS = 20_000

COLUMNS = ("row", "name", "label", "confidence", "runner_up", "runner_up_confidence", "quality", "novelty", "truth")

SORTED = f"""
INSERT INTO items
SELECT row_number() OVER (ORDER BY confidence, row) - 1, {", ".join(COLUMNS)} FROM unsorted
"""


def write_review(
    services: Services,
    job_id: str,
    parameters: ClassificationParameters,
    rows: pl.LazyFrame,
    check: Callable[[], None],
) -> None:
    """Write the answers that are not accepted, and pictures of the `max_review_images` least certain of them.

    Args:
        rows: those of `results.ROWS`.
        check: called every few dozen pictures; may raise to stop.

    Raises:
        ArchiveError: what was handed in is gone or damaged.
    """
    settings, work = services.settings, services.volume.work(job_id)
    with (
        write_directory_whole(services.volume.review(job_id)) as directory,
        closing(sqlite3.connect(directory / FILE, isolation_level=None)) as database,
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
        with open_source(input_of(services.volume, job_id, parameters.model_dump()), work) as source:
            pictures = read_members(
                source,
                source.members(read_places(work / INDEX, least)),
                partial(_draw, parameters=parameters),
                max_image_bytes=settings.max_image_bytes,
                threads=settings.threads_per_process,
                report=lambda _: check(),
            )
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO pictures VALUES (?, ?, ?)",
                # One that could be read when it was classified and cannot now has no picture.
                (
                    (row, *drawn)
                    for row, (_, drawn) in zip(least, pictures, strict=True)
                    if not isinstance(drawn, Problem)
                ),
            )
            database.execute("COMMIT")


def _write_items(database: sqlite3.Connection, rows: pl.LazyFrame) -> None:
    """SQLite sorts them, on disk where there are many."""
    doubtful = rows.filter(pl.col("label").is_not_null() & pl.col("accepted").not_()).select(COLUMNS)
    database.execute(f"CREATE TEMP TABLE unsorted ({', '.join(COLUMNS)})")
    database.execute("BEGIN")
    for batch in doubtful.collect_batches(chunk_size=CHUNK_ROWS):
        database.executemany(f"INSERT INTO unsorted VALUES ({', '.join('?' * len(COLUMNS))})", batch.iter_rows())
    database.execute(SORTED)
    database.execute("DROP TABLE unsorted")
    database.execute("COMMIT")


def _draw(data: bytes, parameters: ClassificationParameters) -> tuple[bytes, bytes]:
    """The picture of the original, and that of what the model saw."""
    seen = normalise(decode(data), parameters.normalise, parameters.polarity).pixels
    return thumbnail(data, SIDE), picture_of(seen)
