"""The results of a classification: a row an image, and their sum."""

import csv
import json
from pathlib import Path
from typing import Any

from worker.results import write_results


def answer(name: str, label: str, truth: str | None = None, confidence: float = 0.5) -> dict[str, Any]:
    return {
        "name": name,
        "truth": truth,
        "error": None,
        "label": label,
        "confidence": confidence,
        "probabilities": [confidence, 1 - confidence],
        "normalisation": "as-is",
        "polarity": "light-on-dark",
    }


def bad(name: str, error: str) -> dict[str, Any]:
    return {"name": name, "truth": None, "error": error}


ROWS = [answer("b,1.png", "7", "7", 0.9), bad("x\n.png", "is damaged"), answer("a.png", "3", "8"), answer("c.png", "7")]


def test_every_row_is_in_both_files_in_order(tmp_path: Path) -> None:
    write_results(iter(ROWS), tmp_path)

    with (tmp_path / "results.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [row["name"] for row in table] == [line["name"] for line in lines] == [row["name"] for row in ROWS]
    assert [row["label"] for row in table] == ["7", "", "3", "7"]
    assert table[1]["error"] == "is damaged"
    assert lines == ROWS


def test_the_summary_counts_what_the_rows_say(tmp_path: Path) -> None:
    summary = write_results(iter(ROWS), tmp_path)

    assert summary == {
        "images": 4,
        "errors": 1,
        "counts": {"3": 1, "7": 2},
        "mean_confidence": round((0.9 + 0.5 + 0.5) / 3, 6),
        "labelled": 2,
        "correct": 1,
        "accuracy": 0.5,
    }


def test_without_labels_there_is_no_accuracy_and_without_answers_no_confidence(tmp_path: Path) -> None:
    assert write_results(iter([answer("a", "1")]), tmp_path)["accuracy"] is None
    assert write_results(iter([bad("a", "no")]), tmp_path)["mean_confidence"] is None
