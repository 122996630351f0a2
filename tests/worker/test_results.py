"""The results of a classification: a row an image, and their sum."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from worker.errors import LeaseLost
from worker.results import CSV_COLUMNS, Row, Tally, join_shards, write_shard


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


def write(shards: list[list[Row]], directory: Path) -> dict[str, Any]:
    """Write shards, join them, and give the summary."""
    (directory / "work").mkdir()
    paths = [directory / "work" / f"{n}.jsonl" for n in range(len(shards))]
    tallies = [write_shard(iter(rows), path) for rows, path in zip(shards, paths, strict=True)]
    join_shards(paths, directory, check=lambda: None)
    kept = [json.loads(json.dumps(tally.values())) for tally in tallies]
    return sum((Tally.read(values) for values in kept), Tally()).summary()


@pytest.mark.parametrize("cut", range(len(ROWS) + 1))
def test_every_row_is_in_both_files_in_order(tmp_path: Path, cut: int) -> None:
    write([ROWS[:cut], ROWS[cut:]], tmp_path)

    with (tmp_path / "results.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert list(table[0]) == list(CSV_COLUMNS)
    assert [row["name"] for row in table] == [line["name"] for line in lines] == [row["name"] for row in ROWS]
    assert [row["label"] for row in table] == ["7", "", "3", "7"]
    assert table[1]["error"] == "is damaged"
    assert lines == ROWS


@pytest.mark.parametrize("cut", range(len(ROWS) + 1))
def test_the_summary_counts_what_the_rows_say(tmp_path: Path, cut: int) -> None:
    summary = write([ROWS[:cut], ROWS[cut:]], tmp_path)

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
    unlabelled, unanswered = Tally(), Tally()
    unlabelled.add(answer("a", "1"))
    unanswered.add(bad("a", "no"))

    assert unlabelled.summary()["accuracy"] is None
    assert unanswered.summary()["mean_confidence"] is None


def test_what_stops_the_joining_leaves_no_result(tmp_path: Path) -> None:
    def stop() -> None:
        raise LeaseLost("too late")

    shard = tmp_path / "0.jsonl"
    write_shard(ROWS, shard)

    with pytest.raises(LeaseLost):
        join_shards([shard], tmp_path, stop)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "0.jsonl"]
