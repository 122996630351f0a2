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
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from worker.errors import ArchiveError
from worker.image_index import FILE, INDEXES, NO_ANSWER, TABLES, stamp_of
from worker.priority import NICENESS
from worker.sources import Limits, Member, Members, open_source, prepare
from worker.sources.pages import PAGE_NAME, with_page
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
        with _members(source, new) as members, contextlib.closing(sqlite3.connect(new / FILE)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
            connection.execute("INSERT INTO results VALUES (?)", (stamp,))
            connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(results, members))
            connection.executescript(INDEXES)
            connection.execute("ANALYZE")
            connection.commit()


@contextlib.contextmanager
def _members(source: Path, directory: Path) -> Iterator[Members]:
    """The source's images, a file with several pages being one; none where it is gone or cannot be read any more."""
    nothing = Members(_not_there, array("Q"))
    try:
        prepare(source, directory, Limits(), lambda: None)
        opened = open_source(source, directory)
    except (ArchiveError, OSError) as error:
        log.warning("no pictures: %s", error)
        yield nothing
        return
    with opened:
        try:
            found = opened.listing.images
        except (ArchiveError, OSError) as error:
            log.warning("no pictures: %s", error)
            found = nothing
        yield found


def _not_there(position: int) -> Member:
    raise LookupError(position)


class _Positions:
    """Gives the position of the image in each row. Rows follow the members, of which one with several pages has a row
    for each: they are called `scan.tif#1`, `scan.tif#2`, unless a member has that very name."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._at = -1
        self._paged: str | None = None

    def of_next(self, name: str) -> int | None:
        """That of the following row's image; None where the source has no more."""
        page = PAGE_NAME.fullmatch(name) if "#" in name else None
        if page and self._paged == page[1] and page[2] != "1":
            return with_page(self._members.positions[self._at], int(page[2]))
        self._at, self._paged = self._at + 1, None
        if self._at >= len(self._members):
            return None
        position = self._members.positions[self._at]
        if page and page[2] == "1" and self._members[self._at].name == page[1]:
            self._paged = page[1]
            return with_page(position, 1)
        return position


def _rows(results: Path, members: Members) -> Iterator[tuple[Any, ...]]:
    line_at, positions = 0, _Positions(members)
    with results.open("rb") as lines:
        for line in lines:
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
                positions.of_next(row["name"]),
            )
            line_at += len(line)


if __name__ == "__main__":
    os.nice(NICENESS)
    index_images(*map(Path, sys.argv[1:4]))
