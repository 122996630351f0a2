"""The index for browsing all images of a classification: `images/index.sqlite`.

Built when a user first opens the page (`building`), then read-only. Standard library only: the web reads it.
"""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tenfold.worker.db.finished_file import FinishedFile

FILE = "index.sqlite"

# Raise it when TABLES change.
TABLES_VERSION = 3

# The `confidence` of rows with an error: it sorts before all answers.
NO_ANSWER = -1.0

# `line_at` is the offset of the row's line in `results.jsonl`; `position` is the image's position in the source, null
# if the source could not be opened. `results` identifies the indexed results.
TABLES = """
CREATE TABLE results (stamp TEXT NOT NULL);
CREATE TABLE images (
    row INTEGER PRIMARY KEY, name TEXT NOT NULL, prediction TEXT, confidence REAL NOT NULL, accepted INTEGER,
    quality TEXT, true_label TEXT, error_kind TEXT, line_at INTEGER NOT NULL, position INTEGER,
    shadow_prediction TEXT
);
"""

# Created after the rows, which is faster. Partial indexes find rare rows quickly.
INDEXES = """
CREATE INDEX by_confidence ON images (confidence, row);
CREATE INDEX by_prediction ON images (prediction, confidence, row);
CREATE INDEX by_true_label ON images (true_label, prediction, row);
CREATE INDEX to_review ON images (confidence, row) WHERE accepted = 0;
CREATE INDEX wrong ON images (confidence, row) WHERE prediction <> true_label;
CREATE INDEX flagged ON images (confidence, row) WHERE quality IS NOT NULL;
CREATE INDEX shadow_differs ON images (confidence, row) WHERE prediction <> shadow_prediction;
CREATE INDEX failed ON images (row) WHERE error_kind IS NOT NULL;
"""


class Status(StrEnum):
    """`RIGHT` and `WRONG` are for images with a true label, `SHADOW_DIFFERS` for those with a shadow model."""

    ACCEPTED = "accepted"
    REVIEW = "review"
    RIGHT = "right"
    WRONG = "wrong"
    FLAGGED = "flagged"
    SHADOW_DIFFERS = "shadow_differs"
    ERROR = "error"


class Order(StrEnum):
    ROW = "row"
    LEAST_CONFIDENT = "least_confident"
    MOST_CONFIDENT = "most_confident"


CONDITIONS = {
    Status.ACCEPTED: "accepted = 1",
    Status.REVIEW: "accepted = 0",
    Status.RIGHT: "prediction = true_label",
    Status.WRONG: "prediction <> true_label",
    Status.FLAGGED: "quality IS NOT NULL",
    Status.SHADOW_DIFFERS: "prediction <> shadow_prediction",
    Status.ERROR: "error_kind IS NOT NULL",
}


ORDERS = {
    Order.ROW: "row",
    Order.LEAST_CONFIDENT: "confidence, row",
    Order.MOST_CONFIDENT: "confidence DESC, row DESC",
}


@dataclass(frozen=True)
class ImageQuery:
    """Which images, in which order. None, or an empty text, means any.

    Args:
        min_confidence, max_confidence: 0–1, inclusive.
        text: part of the name; case-insensitive for ASCII letters.
    """

    prediction: str | None = None
    true_label: str | None = None
    status: Status | None = None
    quality: str | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    text: str | None = None
    order: Order = Order.ROW


@dataclass(frozen=True)
class Image:
    """One image, with columns of `results.ROWS`. `position` is for `Source.members`."""

    row: int
    name: str
    prediction: str | None
    confidence: float | None
    accepted: bool | None
    quality: str | None
    true_label: str | None
    error_kind: str | None
    line_at: int
    position: int | None
    shadow_prediction: str | None


class ImageIndex(FinishedFile):
    """The open index of one classification.

    Args:
        directory: that of the index.

    Raises:
        FileNotFoundError: there is none.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / FILE)

    @property
    def stamp(self) -> str:
        """Identifies the indexed results (`stamp_of`)."""
        return str(self._connection.execute("SELECT stamp FROM results").fetchone()[0])

    def page(self, query: ImageQuery, after: int | None, limit: int) -> list[Image]:
        """Up to `limit` images after the one in row `after`, or the first ones if None."""
        conditions, values = _conditions(query)
        start = self.find(after) if after is not None else None
        if start is not None:
            condition, more = _following(query.order, start)
            conditions.append(condition)
            values += more
        statement = f"SELECT * FROM images WHERE {' AND '.join(conditions)} ORDER BY {ORDERS[query.order]} LIMIT ?"  # nosec B608
        return [_image(found) for found in self._connection.execute(statement, [*values, limit])]

    def count(self, query: ImageQuery, limit: int) -> int:
        """The number of images, counted up to `limit`."""
        conditions, values = _conditions(query)
        statement = f"SELECT count(*) FROM (SELECT 1 FROM images WHERE {' AND '.join(conditions)} LIMIT ?)"  # nosec B608
        return int(self._connection.execute(statement, [*values, limit]).fetchone()[0])

    def find(self, row: int) -> Image | None:
        found = self._connection.execute("SELECT * FROM images WHERE row = ?", (row,)).fetchone()
        return _image(found) if found else None


def stamp_of(results: Path) -> str:
    """Identifies these results and `TABLES`: an index with another stamp is built again.

    A review's merge rewrites the results, so that lines start elsewhere.
    """
    about = results.stat()
    return f"{TABLES_VERSION} {about.st_mtime_ns} {about.st_size}"


def _conditions(query: ImageQuery) -> tuple[list[str], list[Any]]:
    conditions, values = ["1"], list[Any]()
    for condition, value in (
        ("prediction = ?", query.prediction),
        ("true_label = ?", query.true_label),
        ("quality = ?", query.quality),
        ("confidence >= ?", query.min_confidence),
        ("confidence <= ?", query.max_confidence),
        ("name LIKE ? ESCAPE '\\'", _pattern(query.text) if query.text else None),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if query.status is not None:
        conditions.append(CONDITIONS[query.status])
    if query.max_confidence is not None and query.min_confidence is None:
        conditions.append("confidence >= 0")
    return conditions, values


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _following(order: Order, start: Image) -> tuple[str, list[Any]]:
    confidence = NO_ANSWER if start.confidence is None else start.confidence
    if order is Order.ROW:
        return "row > ?", [start.row]
    return f"(confidence, row) {'>' if order is Order.LEAST_CONFIDENT else '<'} (?, ?)", [confidence, start.row]


def _image(found: sqlite3.Row) -> Image:
    values = dict(found)
    if values["confidence"] == NO_ANSWER:
        values["confidence"] = None
    if values["accepted"] is not None:
        values["accepted"] = bool(values["accepted"])
    return Image(**values)
