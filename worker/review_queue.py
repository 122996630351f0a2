"""The file that says what of a classification a person should look at: `review/queue.sqlite`, the least certain first.

Written once, when the classification is merged (`review_writing`), and only read from then on. The web reads it, so
nothing here needs more than the standard library; what people say about the items is in SQL (`corrections`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.finished_file import FinishedFile

FILE = "queue.sqlite"

# An item has no row in `pictures` where it lies beyond `max_review_images`. `seen` is all that a data set needs of an
# image, so that it does not matter what has become of the source.
SCHEMA = """
CREATE TABLE items (
    place INTEGER PRIMARY KEY, row INTEGER NOT NULL UNIQUE, name TEXT NOT NULL,
    label TEXT NOT NULL, confidence REAL NOT NULL, runner_up TEXT, runner_up_confidence REAL,
    quality TEXT, novelty REAL, truth TEXT
);
CREATE TABLE pictures (row INTEGER PRIMARY KEY, original BLOB NOT NULL, seen BLOB NOT NULL);
"""

# One statement takes no more values than this on any SQLite.
MOST_VALUES = 500


@dataclass(frozen=True)
class Item:
    """An answer to review. `place` counts from 0; the other names are those of `results.ROWS`."""

    place: int
    row: int
    name: str
    label: str
    confidence: float
    runner_up: str | None
    runner_up_confidence: float | None
    quality: str | None
    novelty: float | None
    truth: str | None
    has_picture: bool


class ReviewQueue(FinishedFile):
    """The open file of one classification.

    Args:
        directory: where it lies.

    Raises:
        FileNotFoundError: there is none.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / FILE)

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM items").fetchone()[0])

    def page(self, start: int, limit: int) -> list[Item]:
        """Up to `limit` items, from this place on."""
        return self._items("WHERE place >= ? ORDER BY place LIMIT ?", (start, limit))

    def find(self, row: int) -> Item | None:
        """The item with this row number in the results, or None where it is not to be reviewed."""
        return next(iter(self._items("WHERE items.row = ?", (row,))), None)

    def find_all(self, rows: Iterable[int]) -> Iterator[Item]:
        """The items with these row numbers, in their order in the archive."""
        wanted = sorted(rows)
        for start in range(0, len(wanted), MOST_VALUES):
            some = wanted[start : start + MOST_VALUES]
            yield from self._items(f"WHERE items.row IN ({', '.join('?' * len(some))}) ORDER BY items.row", some)

    def picture(self, row: int, *, seen_by_model: bool) -> bytes | None:
        """A picture as `trainer.thumbnails` makes them: of the original, or the 28×28 that the model saw."""
        column = "seen" if seen_by_model else "original"
        found = self._connection.execute(f"SELECT {column} FROM pictures WHERE row = ?", (row,)).fetchone()  # nosec B608
        return found[0] if found else None

    def _items(self, where: str, values: Iterable[Any]) -> list[Item]:
        query = (
            "SELECT place, items.row, name, label, confidence, runner_up, runner_up_confidence, quality, "  # nosec B608
            "novelty, truth, EXISTS (SELECT 1 FROM pictures WHERE pictures.row = items.row) AS has_picture "
            f"FROM items {where}"
        )
        return [Item(**found) for found in map(dict, self._connection.execute(query, [*values]))]
