"""Writes the results of a classification, a row an image in member order, and sums them up as they pass."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from worker.volume import write_whole

CSV_COLUMNS = ("name", "label", "confidence", "truth", "normalisation", "polarity", "error")


def write_results(rows: Iterable[dict[str, Any]], directory: Path) -> dict[str, Any]:
    """Write `results.csv` and `results.jsonl` in one pass, holding one row at a time, and return the summary.

    The summary has `images`, `errors`, `counts` (images by predicted label), `mean_confidence`, and, where
    the folders told the truth of any image, `labelled`, `correct` and `accuracy`. An image with an error has
    no label, so it counts in `images` and `errors` only.
    """
    tally = _Tally()
    with write_whole(directory / "results.jsonl") as jsonl, write_whole(directory / "results.csv") as csv_file:
        text = io.TextIOWrapper(csv_file, encoding="utf-8", newline="")
        table = csv.DictWriter(text, CSV_COLUMNS, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        for row in rows:
            jsonl.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            table.writerow(row)
            tally.add(row)
        text.detach()
    return tally.summary()


class _Tally:
    def __init__(self) -> None:
        self.images = self.errors = self.labelled = self.correct = 0
        self.confidence = 0.0
        self.counts: Counter[str] = Counter()

    def add(self, row: dict[str, Any]) -> None:
        self.images += 1
        if row["error"] is not None:
            self.errors += 1
            return
        self.counts[row["label"]] += 1
        self.confidence += row["confidence"]
        if row["truth"] is not None:
            self.labelled += 1
            self.correct += row["truth"] == row["label"]

    def summary(self) -> dict[str, Any]:
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
