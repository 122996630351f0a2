"""Writes the results of a classification, a row an image in member order, and sums them up as they pass.

Each shard writes its own rows as they will be read; the merge only joins files and sums, so it costs next to nothing.
"""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from worker.volume import write_whole

CSV_COLUMNS = ("name", "label", "confidence", "truth", "normalisation", "polarity", "error")

COPY_BYTES = 2**20

Row = dict[str, Any]

# Every row has all of these; one with an error has none of what is known of an answer.
UNANSWERED: Row = dict.fromkeys(CSV_COLUMNS)


@dataclass
class Tally:
    """Sums over rows. An image with an error has no label, so it counts in `images` and `errors` only.

    `counts` has the images by predicted label; `labelled` those whose folder told the truth, `correct` those of them
    that were answered with it.
    """

    images: int = 0
    errors: int = 0
    labelled: int = 0
    correct: int = 0
    confidence: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Tally":
        """A tally from its `values`, or a copy of them that went through JSON."""
        return cls(**values | {"counts": Counter(values["counts"])})

    def values(self) -> dict[str, Any]:
        """The sums, to be written as JSON."""
        return dict(vars(self))

    def add(self, row: Row) -> None:
        self.images += 1
        if row["error"] is not None:
            self.errors += 1
            return
        self.counts[row["label"]] += 1
        self.confidence += row["confidence"]
        if row["truth"] is not None:
            self.labelled += 1
            self.correct += row["truth"] == row["label"]

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.images + other.images,
            self.errors + other.errors,
            self.labelled + other.labelled,
            self.correct + other.correct,
            self.confidence + other.confidence,
            self.counts + other.counts,
        )

    def summary(self) -> dict[str, Any]:
        """`images`, `errors`, `counts`, `mean_confidence`, `labelled`, `correct` and `accuracy`."""
        answered = self.images - self.errors
        return {
            "images": self.images,
            "errors": self.errors,
            "counts": dict(sorted(self.counts.items())),
            "mean_confidence": round(self.confidence / answered, 6) if answered else None,
            "labelled": self.labelled,
            "correct": self.correct,
            "accuracy": round(self.correct / self.labelled, 6) if self.labelled else None,
        }


def write_shard(rows: Iterable[Row], jsonl_path: Path) -> Tally:
    """Write a shard's rows as JSON lines, and beside them as CSV without a header, a row at a time; sum them up."""
    tally = Tally()
    columns = itemgetter(*CSV_COLUMNS)
    with write_whole(jsonl_path) as jsonl, write_whole(csv_beside(jsonl_path)) as csv_file:
        text = io.TextIOWrapper(csv_file, encoding="utf-8", newline="")
        table = csv.writer(text, lineterminator="\n")
        for row in rows:
            jsonl.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            table.writerow(columns(UNANSWERED | row))
            tally.add(row)
        text.detach()
    return tally


def join_shards(jsonl_paths: Sequence[Path], directory: Path, check: Callable[[], None]) -> None:
    """Join what `write_shard` wrote into `results.jsonl` and `results.csv`, in this order.

    Args:
        check: called before each shard; may raise to stop, and nothing is written then.
    """
    with write_whole(directory / "results.jsonl") as jsonl, write_whole(directory / "results.csv") as csv_file:
        csv_file.write(",".join(CSV_COLUMNS).encode() + b"\n")
        for path in jsonl_paths:
            check()
            _append(path, jsonl)
            _append(csv_beside(path), csv_file)


def csv_beside(jsonl_path: Path) -> Path:
    """The CSV of a shard, next to its JSON lines."""
    return jsonl_path.with_suffix(".csv")


def _append(path: Path, file: BinaryIO) -> None:
    with path.open("rb") as source:
        shutil.copyfileobj(source, file, COPY_BYTES)
