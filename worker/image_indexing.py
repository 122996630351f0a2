"""Makes the index by which a person looks through a classification's images: `python -m worker.image_indexing`.

A process of its own, beside the web: a million rows take half a minute, for which no request should wait.
Standard library only.
"""

import contextlib
import json
import logging
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from worker.errors import ArchiveError
from worker.image_index import FILE, INDEXES, NO_ANSWER, TABLES, stamp_of
from worker.priority import NICENESS
from worker.sources import Limits, open_source, prepare
from worker.storage.whole import write_directory_whole

log = logging.getLogger(__name__)


def index_images(results: Path, source: Path, directory: Path) -> None:
    """Make the index, and beside it what reading the source at random needs; they appear whole.

    Two that do so at the same time, or one that is killed half-way, do no harm: each works in a directory of its own,
    and the first one renamed counts.

    Args:
        results: `results.jsonl` of the classification.
        source: what was handed in. It may be gone; then the index has no positions.
        directory: where the index is to be.
    """
    with contextlib.suppress(FileExistsError), write_directory_whole(directory) as new:
        stamp = stamp_of(results)
        positions = _positions(source, new)
        with contextlib.closing(sqlite3.connect(new / FILE)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
            connection.execute("INSERT INTO results VALUES (?)", (stamp,))
            connection.executemany(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(results, positions)
            )
            connection.executescript(INDEXES)
            connection.execute("ANALYZE")
            connection.commit()


def _positions(source: Path, directory: Path) -> Sequence[int]:
    """Where the source has each image; nothing where it is gone or cannot be read any more."""
    try:
        prepare(source, directory, Limits(), lambda: None)
        with open_source(source, directory) as opened:
            return opened.listing.images.positions
    except (ArchiveError, OSError) as error:
        log.warning("no pictures: %s", error)
        return ()


def _rows(results: Path, positions: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    line_at = 0
    known = chain(positions, repeat(None))
    with results.open("rb") as lines:
        for line, position in zip(lines, known, strict=False):
            row = json.loads(line)
            confidence = NO_ANSWER if row["confidence"] is None else row["confidence"]
            yield (
                row["row"],
                row["name"],
                row["label"],
                confidence,
                row["accepted"],
                row["quality"],
                row["truth"],
                row["error_kind"],
                line_at,
                position,
            )
            line_at += len(line)


if __name__ == "__main__":
    os.nice(NICENESS)
    index_images(*map(Path, sys.argv[1:4]))
