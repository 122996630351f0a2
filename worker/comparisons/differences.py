"""The images on which compared models differ: `differences.sqlite`.

Written by the step (`writing`), then read-only. Standard library only: the web reads it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenfold.worker.db.finished_file import FinishedFile

FILE = "differences.sqlite"

# `answers` is a list of [prediction, confidence] in the order of the models; bit n of `right` says whether model n was.
SCHEMA = """
CREATE TABLE items (
    rank INTEGER PRIMARY KEY, row INTEGER NOT NULL, name TEXT NOT NULL, true_label TEXT NOT NULL,
    answers TEXT NOT NULL, right INTEGER NOT NULL
);
CREATE TABLE pictures (rank INTEGER PRIMARY KEY, picture BLOB NOT NULL);
"""


@dataclass(frozen=True)
class ModelAnswer:
    prediction: str
    confidence: float
    right: bool


@dataclass(frozen=True)
class Difference:
    """An image on which the models differ; `answers` are in their order. `rank` counts from 0: first those that one
    model has right and another wrong, the surest mistakes first."""

    rank: int
    row: int
    name: str
    true_label: str
    answers: tuple[ModelAnswer, ...]
    has_picture: bool


class Differences(FinishedFile):
    """The open file of one comparison.

    Args:
        directory: that of the job.

    Raises:
        FileNotFoundError: there is none.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / FILE)

    def page(self, start: int, limit: int, right: Sequence[int] = (), wrong: Sequence[int] = ()) -> list[Difference]:
        """Up to `limit` images from this rank on, which these models have right and those wrong.

        Args:
            right, wrong: the models' places, from 0.
        """
        where, values = _conditions(right, wrong)
        statement = (
            "SELECT *, EXISTS (SELECT 1 FROM pictures WHERE pictures.rank = items.rank) AS has_picture FROM items "  # nosec B608
            f"WHERE rank >= ? AND {where} ORDER BY rank LIMIT ?"
        )
        return [_difference(found) for found in map(dict, self._connection.execute(statement, [start, *values, limit]))]

    def count(self, right: Sequence[int] = (), wrong: Sequence[int] = ()) -> int:
        """How many images there are of these."""
        where, values = _conditions(right, wrong)
        return int(self._connection.execute(f"SELECT count(*) FROM items WHERE {where}", values).fetchone()[0])  # nosec B608

    def picture(self, rank: int) -> bytes | None:
        """The thumbnail of the image, as a file; None if there is none."""
        found = self._connection.execute("SELECT picture FROM pictures WHERE rank = ?", (rank,)).fetchone()
        return found[0] if found else None


def _conditions(right: Sequence[int], wrong: Sequence[int]) -> tuple[str, list[int]]:
    return "right & ? = ? AND right & ? = 0", [_bits(right), _bits(right), _bits(wrong)]


def _bits(places: Sequence[int]) -> int:
    return sum(1 << place for place in set(places))


def _difference(found: dict[str, Any]) -> Difference:
    bits = found.pop("right")
    answers = tuple(
        ModelAnswer(prediction, confidence, bool(bits >> place & 1))
        for place, (prediction, confidence) in enumerate(json.loads(found.pop("answers")))
    )
    return Difference(**found | {"answers": answers, "has_picture": bool(found["has_picture"])})
