"""The answers of a classification to review, least certain first: `review/queue.sqlite`.

Written by the merge (`writing`), then read-only. Standard library only: the web reads it. Corrections are in the
database (`review.corrections`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenfold.worker.db.finished_file import FinishedFile

FILE = "queue.sqlite"

# Items beyond `max_review_images` have no row in `pictures`. `model_input` is all that a data set needs of an image, so
# it can be made when the source is gone.
SCHEMA = """
CREATE TABLE items (
    rank INTEGER PRIMARY KEY, row INTEGER NOT NULL UNIQUE, name TEXT NOT NULL,
    prediction TEXT NOT NULL, confidence REAL NOT NULL, runner_up TEXT, runner_up_confidence REAL,
    quality TEXT, novelty REAL, true_label TEXT
);
CREATE TABLE pictures (row INTEGER PRIMARY KEY, original BLOB NOT NULL, model_input BLOB NOT NULL);
"""

# Gives a queue of version 0.1.0 the present names.
EARLIER_NAMES = """
CREATE TEMP VIEW items AS SELECT
    place AS rank, row, name, label AS prediction, confidence, runner_up, runner_up_confidence,
    CASE quality WHEN 'several digits' THEN 'multiple_digits' WHEN 'like no class' THEN 'out_of_distribution'
        ELSE quality END AS quality,
    novelty, truth AS true_label
FROM main.items;
CREATE TEMP VIEW pictures AS SELECT row, original, seen AS model_input FROM main.pictures;
"""

# Values per statement; every SQLite supports this many.
MAX_VALUES = 500


@dataclass(frozen=True)
class Item:
    """An answer to review. `rank` counts from 0; the other columns are those of `results.ROWS`."""

    rank: int
    row: int
    name: str
    prediction: str
    confidence: float
    runner_up: str | None
    runner_up_confidence: float | None
    quality: str | None
    novelty: float | None
    true_label: str | None
    has_picture: bool


class ReviewQueue(FinishedFile):
    """The open queue of one classification.

    Args:
        directory: that of the queue.

    Raises:
        FileNotFoundError: there is none.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / FILE)
        columns = self._connection.execute("SELECT name FROM pragma_table_info('items')")
        if "place" in (name for (name,) in columns):
            self._connection.executescript(EARLIER_NAMES)

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM items").fetchone()[0])

    def page(self, start: int, limit: int) -> list[Item]:
        """Up to `limit` items, starting at this rank."""
        return self._items("WHERE rank >= ? ORDER BY rank LIMIT ?", (start, limit))

    def find(self, row: int) -> Item | None:
        """The item with this row number in the results; None if it is not in the queue."""
        return next(iter(self._items("WHERE items.row = ?", (row,))), None)

    def find_all(self, rows: Iterable[int]) -> Iterator[Item]:
        """The items with these row numbers, ordered by row."""
        wanted = sorted(rows)
        for start in range(0, len(wanted), MAX_VALUES):
            some = wanted[start : start + MAX_VALUES]
            yield from self._items(f"WHERE items.row IN ({', '.join('?' * len(some))}) ORDER BY items.row", some)

    def picture(self, row: int, *, model_input: bool) -> bytes | None:
        """The thumbnail of the original, or the input of the model, as an image file; None if there is none."""
        column = "model_input" if model_input else "original"
        found = self._connection.execute(f"SELECT {column} FROM pictures WHERE row = ?", (row,)).fetchone()  # nosec B608
        return found[0] if found else None

    def _items(self, where: str, values: Iterable[Any]) -> list[Item]:
        query = (
            "SELECT rank, items.row, name, prediction, confidence, runner_up, runner_up_confidence, quality, "  # nosec B608
            "novelty, true_label, EXISTS (SELECT 1 FROM pictures WHERE pictures.row = items.row) AS has_picture "
            f"FROM items {where}"
        )
        return [Item(**found) for found in map(dict, self._connection.execute(query, [*values]))]
