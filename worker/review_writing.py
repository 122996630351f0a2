"""Writes a classification's review queue (`review_queue`) when its shards are merged."""

import sqlite3
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import polars as pl

from trainer.decoding import decode
from trainer.errors import ImageUnreadable
from trainer.images import normalise
from trainer.thumbnails import picture_of, thumbnail
from worker.classification import INDEX, input_of
from worker.parameters import ClassificationParameters
from worker.review_queue import FILE, SCHEMA
from worker.services import Services
from worker.sources import Source, UnreadableMember, open_source, read_index
from worker.volume import write_directory_whole

# As large as a phone held upright shows it.
SIDE = 320

# How many rows are held at a time; of images, a few for each thread.
CHUNK_ROWS = 20_000
CHECK_EVERY = 64

COLUMNS = ("row", "name", "label", "confidence", "runner_up", "runner_up_confidence", "quality", "novelty", "truth")

SORTED = f"""
INSERT INTO items
SELECT row_number() OVER (ORDER BY confidence, row) - 1, {", ".join(COLUMNS)} FROM unsorted
"""

# Row, the bytes of the original's picture, those of what the model saw.
Pictures = tuple[int, bytes, bytes]


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
            files = _read(source, least, work / INDEX, settings.max_image_bytes)
            draw = partial(_draw, parameters=parameters)
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO pictures VALUES (?, ?, ?)", _pictures(files, draw, settings.threads_per_process, check)
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


def _read(source: Source, rows: Sequence[int], index: Path, max_bytes: int) -> Iterator[tuple[int, bytes]]:
    positions = array("Q", [read_index(index, row, row + 1)[0] for row in rows])
    for row, member in zip(rows, source.members(positions), strict=True):
        try:
            yield row, source.read(member, max_bytes)
        except UnreadableMember:  # it could be read when it was classified; the item then has no picture
            continue


def _pictures(
    files: Iterable[tuple[int, bytes]],
    draw: Callable[[tuple[int, bytes]], Pictures | None],
    threads: int,
    check: Callable[[], None],
) -> Iterator[Pictures]:
    """This thread reads and writes while others draw."""
    with ThreadPoolExecutor(threads, "drawing") as pool:
        ahead: deque[Future[Pictures | None]] = deque()
        for number, file in enumerate(files):
            if number % CHECK_EVERY == 0:
                check()
            ahead.append(pool.submit(draw, file))
            if len(ahead) > 2 * threads:
                yield from filter(None, [ahead.popleft().result()])
        yield from filter(None, (drawing.result() for drawing in ahead))


def _draw(file: tuple[int, bytes], parameters: ClassificationParameters) -> Pictures | None:
    row, data = file
    try:
        seen = normalise(decode(data), parameters.normalise, parameters.polarity).pixels
        return row, thumbnail(data, SIDE), picture_of(seen)
    except ImageUnreadable:
        return None
