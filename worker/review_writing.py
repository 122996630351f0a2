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
from worker.archives import Archive, UnreadableMember, read_index
from worker.classification import INDEX
from worker.parameters import ClassificationParameters
from worker.review_queue import FILE, SCHEMA
from worker.services import Services
from worker.volume import write_directory_whole

# As large as a phone held upright shows it.
SIDE = 320

# How many rows are held at a time; of images, a few for each thread.
CHUNK_ROWS = 20_000
CHECK_EVERY = 64

COLUMNS = ("row", "name", "label", "confidence", "runner_up", "runner_up_confidence", "quality", "novelty", "truth")

SORTED = f"""
INSERT INTO items
SELECT row_number() OVER (ORDER BY confidence, row) - 1, row, position, {", ".join(COLUMNS[1:])} FROM unsorted
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
        rows: those of `results.ROWS`, in their order.
        check: called every few dozen pictures; may raise to stop.

    Raises:
        ArchiveError: the archive is gone or damaged.
    """
    settings, volume = services.settings, services.volume
    with (
        write_directory_whole(volume.review(job_id)) as directory,
        closing(sqlite3.connect(directory / FILE, isolation_level=None)) as database,
    ):
        # Nobody sees this file before it is whole and on disk.
        database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA}")
        _write_items(database, rows, volume.work(job_id) / INDEX)
        least = database.execute(
            "SELECT row, position FROM items WHERE place < ? ORDER BY row", (settings.max_review_images,)
        ).fetchall()
        with Archive(volume.archive(job_id)) as archive:
            draw = partial(_draw, parameters=parameters)
            pictures = _pictures(
                _read(archive, least, settings.max_image_bytes), draw, settings.threads_per_process, check
            )
            database.execute("BEGIN")
            database.executemany("INSERT INTO pictures VALUES (?, ?, ?)", pictures)
            database.execute("COMMIT")


def _write_items(database: sqlite3.Connection, rows: pl.LazyFrame, index: Path) -> None:
    """SQLite sorts them, on disk where there are many."""
    doubtful = rows.filter(pl.col("label").is_not_null() & pl.col("accepted").not_()).select(COLUMNS)
    database.execute(f"CREATE TEMP TABLE unsorted (position, {', '.join(COLUMNS)})")
    database.execute("BEGIN")
    for batch in doubtful.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True):
        values = zip(_positions(index, batch["row"].to_list()), batch.iter_rows(), strict=True)
        database.executemany(
            f"INSERT INTO unsorted VALUES ({', '.join('?' * (1 + len(COLUMNS)))})",
            ((position, *row) for position, row in values),
        )
    database.execute(SORTED)
    database.execute("DROP TABLE unsorted")
    database.execute("COMMIT")


def _positions(index: Path, rows: Sequence[int]) -> list[int]:
    """Where these images' records lie in the archive; of ascending row numbers."""
    if not rows:
        return []
    positions = read_index(index, rows[0], rows[-1] + 1)
    return [positions[row - rows[0]] for row in rows]


def _read(archive: Archive, items: Sequence[tuple[int, int]], max_bytes: int) -> Iterator[tuple[int, bytes]]:
    members = archive.members(array("Q", [position for _, position in items]))
    for (row, _), member in zip(items, members, strict=True):
        try:
            yield row, archive.read(member, max_bytes)
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
