"""Builds the index for browsing a classification's images: `python -m
tenfold.worker.classification.image_index.building`.

A separate process, started by the web: a million rows take half a minute. Standard library only.
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

from tenfold.worker.classification.earlier_results import current_row
from tenfold.worker.classification.image_index.index import FILE, INDEXES, NO_ANSWER, TABLES, stamp_of
from tenfold.worker.errors import ArchiveError
from tenfold.worker.priority import NICENESS
from tenfold.worker.sources import Limits, Member, Members, open_source, prepare
from tenfold.worker.sources.pages import PAGE_NAME, with_page
from tenfold.worker.storage.whole import atomic_write_directory

log = logging.getLogger(__name__)


def index_images(results: Path, source: Path, directory: Path) -> None:
    """Build the index, and the files for reading the source at random.

    Concurrent or killed builds do no harm: each writes its own directory, and the first one renamed is used.

    Args:
        results: `results.jsonl` of the classification.
        source: the submitted file or directory. If it is missing, the index has no positions.
        directory: where to put the index.
    """
    with contextlib.suppress(FileExistsError), atomic_write_directory(directory) as new:
        stamp = stamp_of(results)
        with _members(source, new) as members, contextlib.closing(sqlite3.connect(new / FILE)) as connection:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
            connection.execute("INSERT INTO results VALUES (?)", (stamp,))
            connection.executemany(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(results, members)
            )
            connection.executescript(INDEXES)
            connection.execute("ANALYZE")
            connection.commit()


@contextlib.contextmanager
def _members(source: Path, directory: Path) -> Iterator[Members]:
    """The images of the source, where a multi-page file is one; empty if it can no longer be read."""
    nothing = Members(_not_there, array("Q"))
    try:
        prepare(source, directory, Limits(), lambda: None)
        opened = open_source(source, directory)
    except (ArchiveError, OSError) as error:
        log.warning("the index has no pictures: %s", error)
        yield nothing
        return
    with opened:
        try:
            found = opened.listing.images
        except (ArchiveError, OSError) as error:
            log.warning("the index has no pictures: %s", error)
            found = nothing
        yield found


def _not_there(position: int) -> Member:
    raise LookupError(position)


class _Positions:
    """Finds the position of each row's image. Rows are in the order of members; a multi-page file has a row for each
    page, named `scan.tif#1`, `scan.tif#2`, unless a member has that name."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._at = -1
        self._paged: str | None = None

    def of_next(self, name: str) -> int | None:
        """The position of the next row's image; None if the source has no more."""
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
            row = current_row(json.loads(line))
            confidence = NO_ANSWER if row["confidence"] is None else row["confidence"]
            yield (
                row["row"],
                row["name"],
                row["prediction"],
                confidence,
                row["accepted"],
                row["quality"],
                row["true_label"],
                row["error_kind"],
                line_at,
                positions.of_next(row["name"]),
                row.get("shadow_prediction"),
            )
            line_at += len(line)


if __name__ == "__main__":
    os.nice(NICENESS)
    index_images(*map(Path, sys.argv[1:4]))
