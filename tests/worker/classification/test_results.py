"""The rows of a classification in three formats, and their sums."""

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.worker.classification.csv_cells import as_cell
from tenfold.worker.classification.results import PICTURES, ROWS, read_pictures, read_shards, write_results, write_shard
from tenfold.worker.classification.summary import summarize
from tenfold.worker.errors import LeaseLost

CLASSES = ("3", "7", "8")


def answer(row: int, name: str, label: str, truth: str | None = None, confidence: float = 0.5) -> dict[str, Any]:
    return {
        **{"row": row, "name": name, "true_label": truth, "prediction": label, "confidence": confidence},
        **{"runner_up": "8", "runner_up_confidence": 0.1, "top_predictions": [label, "8"]},
        **{"top_confidences": [confidence, 0.1], "accepted": confidence > 0.8, "normalization": "as-is"},
    }


def bad(row: int, name: str, kind: str, error: str) -> dict[str, Any]:
    return {"row": row, "name": name, "error_kind": kind, "error": error}


GIVEN = [
    answer(0, "b,1.png", "7", "7", 0.9),
    bad(1, "x\n.png", "archive", "is damaged"),
    answer(2, 'a"ö.png', "3", "8", 0.875),
    answer(3, "c.png", "7") | {"quality": "blank"},
    bad(4, "d.png", "image", "is empty"),
]


NO_PICTURES = PICTURES.to_frame()

FORMULAS = ["=1+1.png", "+1.png", "-2+3.png", "@SUM(A1).png", "\t=1.png", "\r=1.png", "＝1.png"]


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ROWS)


def write(shards: list[pl.DataFrame], directory: Path) -> pl.LazyFrame:
    (directory / "work").mkdir(exist_ok=True)
    paths = [directory / "work" / f"{number}.arrow" for number in range(len(shards))]
    for rows, path in zip(shards, paths, strict=True):
        write_shard(rows, NO_PICTURES, path)
    merged = read_shards(paths)
    write_results(merged, directory, check=lambda: None)
    return merged


@pytest.mark.parametrize("cut", range(len(GIVEN) + 1))
def test_every_row_is_in_all_three_files_in_order(tmp_path: Path, cut: int) -> None:
    write([frame(GIVEN[:cut]), frame(GIVEN[cut:])], tmp_path)

    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert lines == pl.read_parquet(tmp_path / "results.parquet").to_dicts() == frame(GIVEN).to_dicts()
    assert list(table[0]) == list(lines[0]) == ROWS.names()
    assert [row["name"] for row in table] == [row["name"] for row in GIVEN]
    assert [row["prediction"] for row in table] == ["7", "", "3", "7", ""]
    assert table[1]["error"] == "is damaged"
    assert table[0]["top_predictions"] == "7 8"
    assert table[0]["top_confidences"] == "0.9 0.1"


def test_what_begins_like_a_formula_is_text_in_csv_and_exact_elsewhere(tmp_path: Path) -> None:
    names = [*FORMULAS, "7/a.png", "'a.png", "-3.5"]
    manifest = pl.LazyFrame({"=column": ["-3.5", "=1", *[None] * (len(names) - 2)]})
    rows = frame([answer(number, name, "7", "7", 0.9) for number, name in enumerate(names)]).lazy()
    write_results(pl.concat([rows, manifest], how="horizontal"), tmp_path, check=lambda: None)

    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["name"] for row in table] == [*(f"'{name}" for name in names[:7]), *names[7:]]
    assert [row["'=column"] for row in table[:3]] == ["-3.5", "'=1", ""]
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == names == pl.read_parquet(tmp_path / "results.parquet")["name"].to_list()
    assert [as_cell(name) for name in names] == [row["name"] for row in table]


def test_the_summary_counts_what_the_rows_say(tmp_path: Path) -> None:
    merged = write([frame(GIVEN[:2]), frame([]), frame(GIVEN[2:])], tmp_path)

    summary = summarize(merged, CLASSES)

    interval = summary.pop("accuracy_interval")
    assert interval[0] < 0.5 < interval[1]
    assert summary == {
        **{"images": 5, "errors": 2, "error_kinds": {"archive": 1, "image": 1}},
        **{"accepted": 2, "to_review": 1, "quality": {"blank": 1}},
        **{"counts": {"3": 1, "7": 2}, "mean_confidence": round((0.9 + 0.5 + 0.875) / 3, 6)},
        **{"labeled": 2, "correct": 1, "accuracy": 0.5, "accepted_labeled": 2, "accepted_wrong": 1},
        "confusion": [[0, 0, 0], [0, 1, 0], [1, 0, 0]],
        "worst_mistakes": [{"row": 2, "name": 'a"ö.png', "true_label": "8", "prediction": "3", "confidence": 0.875}],
    }


LABELS = st.sampled_from(CLASSES)
ANSWERED = st.tuples(LABELS, st.none() | LABELS | st.just("no class"), st.floats(0, 1))


@given(st.lists(st.none() | ANSWERED, max_size=30))
def test_the_figures_agree_with_each_other_whatever_the_rows_are(
    drawn: list[tuple[str, str | None, float] | None],
) -> None:
    rows = [
        bad(row, "x", "image", "no") if one is None else answer(row, "x", one[0], one[1], one[2])
        for row, one in enumerate(drawn)
    ]

    summary = summarize(frame(rows).lazy(), CLASSES)

    assert summary["images"] == len(drawn)
    assert summary["errors"] == drawn.count(None) == sum(summary["error_kinds"].values())
    answered = summary["images"] - summary["errors"]
    assert sum(summary["counts"].values()) == summary["accepted"] + summary["to_review"] == answered
    assert (summary["mean_confidence"] is None) == (answered == 0)
    right = sum(one is not None and one[0] == one[1] for one in drawn)
    assert summary["correct"] == right
    if summary["labeled"]:
        matrix = summary["confusion"]
        assert sum(matrix[place][place] for place in range(len(CLASSES))) == right
        assert summary["accuracy_interval"][0] <= summary["accuracy"] <= summary["accuracy_interval"][1]
    else:
        assert summary["accuracy"] is summary["confusion"] is None


def test_pictures_lie_beside_the_rows_that_have_them(tmp_path: Path) -> None:
    pictures = pl.DataFrame([(2, b"original", b"seen")], schema=PICTURES, orient="row")
    paths = [tmp_path / "0.arrow", tmp_path / "1.arrow"]

    write_shard(frame(GIVEN[:2]), NO_PICTURES, paths[0])
    write_shard(frame(GIVEN[2:]), pictures, paths[1])

    assert read_pictures(paths).collect().equals(pictures)
    assert read_shards(paths).collect().equals(frame(GIVEN))


def test_a_shard_of_a_worker_of_before_has_no_pictures_in_it(tmp_path: Path) -> None:
    pictures = pl.DataFrame([(2, b"original", b"seen")], schema=PICTURES, orient="row")
    paths = [tmp_path / "0.arrow", tmp_path / "1.arrow"]

    frame(GIVEN[:2]).write_ipc(paths[0])
    write_shard(frame(GIVEN[2:]), pictures, paths[1])

    assert read_pictures(paths).collect().equals(pictures)
    assert read_shards(paths).collect().equals(frame(GIVEN))


@pytest.mark.parametrize("cut", range(len(FORMULAS) + 1))
def test_the_lines_that_shards_wrote_are_those_that_their_rows_make(tmp_path: Path, cut: int) -> None:
    rows = frame(GIVEN + [answer(len(GIVEN) + n, name, "7", "8", 0.00001) for n, name in enumerate(FORMULAS)])
    paths = [tmp_path / "0.arrow", tmp_path / "1.arrow"]
    made, taken = tmp_path / "made", tmp_path / "taken"
    for shard, path in zip((rows[:cut], rows[cut:]), paths, strict=True):
        write_shard(shard, NO_PICTURES, path)

    for directory, shards in ((made, ()), (taken, paths)):
        directory.mkdir()
        write_results(read_shards(paths), directory, lambda: None, shards)

    for name in ("results.csv", "results.jsonl", "results.parquet"):
        assert (taken / name).read_bytes() == (made / name).read_bytes()


def test_what_stops_the_writing_leaves_no_result(tmp_path: Path) -> None:
    def stop() -> None:
        raise LeaseLost("too late")

    write_shard(frame(GIVEN), NO_PICTURES, tmp_path / "0.arrow")

    with pytest.raises(LeaseLost):
        write_results(read_shards([tmp_path / "0.arrow"]), tmp_path, stop)

    assert list(tmp_path.glob("results.*")) == []
