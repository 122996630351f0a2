"""The file by which a person looks through all images of a classification: `images/index.sqlite`.

Made when somebody first looks (`image_indexing`), so that no classification waits for it, and only read from then on.
The web reads it, so nothing here needs more than the standard library.
"""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from worker.finished_file import FinishedFile

FILE = "index.sqlite"

# What `confidence` is here where there is no answer: it sorts before all answers.
NO_ANSWER = -1.0

# `line_at` is where the row's line begins in `results.jsonl`; `position` is where the source has the image, null where
# the source could not be opened any more. `results` says which results these are the rows of.
TABLES = """
CREATE TABLE results (stamp TEXT NOT NULL);
CREATE TABLE images (
    row INTEGER PRIMARY KEY, name TEXT NOT NULL, label TEXT, confidence REAL NOT NULL, accepted INTEGER,
    quality TEXT, truth TEXT, error_kind TEXT, line_at INTEGER NOT NULL, position INTEGER
);
"""

# Made after the rows, which is faster. What is rare has an index of its own, so that few rows are found among many.
INDEXES = """
CREATE INDEX by_confidence ON images (confidence, row);
CREATE INDEX by_label ON images (label, confidence, row);
CREATE INDEX by_truth ON images (truth, label, row);
CREATE INDEX to_review ON images (confidence, row) WHERE accepted = 0;
CREATE INDEX wrong ON images (confidence, row) WHERE label <> truth;
CREATE INDEX flagged ON images (confidence, row) WHERE quality IS NOT NULL;
CREATE INDEX failed ON images (row) WHERE error_kind IS NOT NULL;
"""


class Status(StrEnum):
    """What became of an image. `RIGHT` and `WRONG` are of images whose true class is known."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    RIGHT = "right"
    WRONG = "wrong"
    FLAGGED = "flagged"
    ERROR = "error"


class Order(StrEnum):
    ROW = "row"
    LEAST_SURE = "least-sure"
    SUREST = "surest"


CONDITIONS = {
    Status.ACCEPTED: "accepted = 1",
    Status.REVIEW: "accepted = 0",
    Status.RIGHT: "label = truth",
    Status.WRONG: "label <> truth",
    Status.FLAGGED: "quality IS NOT NULL",
    Status.ERROR: "error_kind IS NOT NULL",
}


@dataclass(frozen=True)
class Wanted:
    """Which images, in which order. What is None, or empty, does not matter.

    Args:
        least: the least confidence, 0–1; `most` the greatest.
        text: what the name contains; small and capital letters of the alphabet are the same.
    """

    label: str | None = None
    truth: str | None = None
    status: Status | None = None
    quality: str | None = None
    least: float | None = None
    most: float | None = None
    text: str | None = None
    order: Order = Order.ROW


@dataclass(frozen=True)
class Image:
    """One image; the names are those of `results.ROWS`. `position` is for `Source.members`."""

    row: int
    name: str
    label: str | None
    confidence: float | None
    accepted: bool | None
    quality: str | None
    truth: str | None
    error_kind: str | None
    line_at: int
    position: int | None


class ImageIndex(FinishedFile):
    """The open file of one classification.

    Args:
        directory: where it lies.

    Raises:
        FileNotFoundError: there is none.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / FILE)

    @property
    def stamp(self) -> str:
        """Of which results this is the index (`stamp_of`)."""
        return str(self._connection.execute("SELECT stamp FROM results").fetchone()[0])

    def page(self, wanted: Wanted, after: int | None, limit: int) -> list[Image]:
        """Up to `limit` images, of those that follow the one in the row `after`; None begins."""
        conditions, values = _conditions(wanted)
        start = self.find(after) if after is not None else None
        if start is not None:
            condition, more = _following(wanted.order, start)
            conditions.append(condition)
            values += more
        ordered = {Order.ROW: "row", Order.LEAST_SURE: "confidence, row", Order.SUREST: "confidence DESC, row DESC"}
        query = f"SELECT * FROM images WHERE {' AND '.join(conditions)} ORDER BY {ordered[wanted.order]} LIMIT ?"  # nosec B608
        return [_image(found) for found in self._connection.execute(query, [*values, limit])]

    def count(self, wanted: Wanted, most: int) -> int:
        """How many images there are; counted as far as `most`."""
        conditions, values = _conditions(wanted)
        query = f"SELECT count(*) FROM (SELECT 1 FROM images WHERE {' AND '.join(conditions)} LIMIT ?)"  # nosec B608
        return int(self._connection.execute(query, [*values, most]).fetchone()[0])

    def find(self, row: int) -> Image | None:
        found = self._connection.execute("SELECT * FROM images WHERE row = ?", (row,)).fetchone()
        return _image(found) if found else None


def stamp_of(results: Path) -> str:
    """What tells these results from others: a review's merge writes them anew, and each line may begin elsewhere."""
    about = results.stat()
    return f"{about.st_mtime_ns} {about.st_size}"


def _conditions(wanted: Wanted) -> tuple[list[str], list[Any]]:
    conditions, values = ["1"], list[Any]()
    for condition, value in (
        ("label = ?", wanted.label),
        ("truth = ?", wanted.truth),
        ("quality = ?", wanted.quality),
        ("confidence >= ?", wanted.least),
        ("confidence <= ?", wanted.most),
        ("name LIKE ? ESCAPE '\\'", _pattern(wanted.text) if wanted.text else None),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if wanted.status is not None:
        conditions.append(CONDITIONS[wanted.status])
    if wanted.most is not None and wanted.least is None:
        conditions.append("confidence >= 0")
    return conditions, values


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _following(order: Order, start: Image) -> tuple[str, list[Any]]:
    confidence = NO_ANSWER if start.confidence is None else start.confidence
    if order is Order.ROW:
        return "row > ?", [start.row]
    return f"(confidence, row) {'>' if order is Order.LEAST_SURE else '<'} (?, ?)", [confidence, start.row]


def _image(found: sqlite3.Row) -> Image:
    values = dict(found)
    if values["confidence"] == NO_ANSWER:
        values["confidence"] = None
    if values["accepted"] is not None:
        values["accepted"] = bool(values["accepted"])
    return Image(**values)
