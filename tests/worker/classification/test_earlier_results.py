"""What version 0.1.0 wrote is read under the present names."""

import json
import sqlite3
from pathlib import Path

import polars as pl

from tenfold.worker.classification.earlier_results import current_row
from tenfold.worker.classification.image_index.building import index_images
from tenfold.worker.classification.image_index.index import ImageIndex, ImageQuery, Status
from tenfold.worker.classification.results import ROWS, current_rows, read_shards, write_results
from tenfold.worker.classification.review_queue.queue import FILE, ReviewQueue

OLD_ROW = {
    "row": 0,
    "name": "a.png",
    "label": "7",
    "confidence": 0.5,
    "accepted": False,
    "quality": "like no class",
    "runner_up": "1",
    "runner_up_confidence": 0.25,
    "top_labels": ["7", "1"],
    "top_confidences": [0.5, 0.25],
    "novelty": 1.5,
    "normalisation": "mnist",  # codespell:ignore normalisation
    "polarity": "dark-on-light",
    "truth": "1",
    "shard": 0,
    "error_kind": None,
    "error": None,
}


def test_a_row_has_the_present_names_and_a_manifests_column_of_such_a_name_gives_way() -> None:
    row = current_row(OLD_ROW | {"form": "12", "prediction": "of the manifest"})

    assert list(row) == [*ROWS.names(), "form", "manifest_prediction"]
    assert (row["prediction"], row["true_label"], row["quality"]) == ("7", "1", "out_of_distribution")
    assert current_row(row) is row


def test_a_manifests_column_called_label_is_no_sign_of_old_results() -> None:
    row = dict.fromkeys([*ROWS.names(), "label"], "x")

    assert current_row(row) is row


def test_shards_of_an_old_worker_are_merged_with_new_ones(tmp_path: Path) -> None:
    old = pl.DataFrame([OLD_ROW], schema_overrides={"error_kind": pl.String, "error": pl.String})
    new = current_rows(old.lazy()).with_columns(row=pl.lit(1)).cast(ROWS).collect()
    old.cast({"row": pl.UInt32, "shard": pl.UInt32}).write_ipc(tmp_path / "old.arrow")
    new.write_ipc(tmp_path / "new.arrow")
    shards = [tmp_path / "old.arrow", tmp_path / "new.arrow"]

    write_results(read_shards(shards), tmp_path, lambda: None, shards)

    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [list(line) for line in lines] == [ROWS.names()] * 2
    assert [line["prediction"] for line in lines] == ["7", "7"]


def test_the_images_of_old_results_are_found(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text(json.dumps(OLD_ROW) + "\n")

    index_images(tmp_path / "results.jsonl", tmp_path / "gone.zip", tmp_path / "images")

    with ImageIndex(tmp_path / "images") as images:
        [found] = images.page(ImageQuery(status=Status.WRONG, quality="out_of_distribution"), None, 9)
    assert (found.prediction, found.true_label) == ("7", "1")


def test_an_old_review_is_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as database:
        database.executescript("""
            CREATE TABLE items (
                place INTEGER PRIMARY KEY, row INTEGER NOT NULL UNIQUE, name TEXT NOT NULL,
                label TEXT NOT NULL, confidence REAL NOT NULL, runner_up TEXT, runner_up_confidence REAL,
                quality TEXT, novelty REAL, truth TEXT
            );
            CREATE TABLE pictures (row INTEGER PRIMARY KEY, original BLOB NOT NULL, seen BLOB NOT NULL);
            INSERT INTO items VALUES (0, 8, 'a.png', '7', 0.5, '1', 0.25, 'several digits', 0.1, '1');
            INSERT INTO pictures VALUES (8, 'the original', 'the input');
        """)
    database.close()

    with ReviewQueue(tmp_path) as queue:
        [item] = queue.page(0, 9)
        assert queue.find(8) == item
        assert queue.picture(8, model_input=True) == "the input"
        assert len(queue) == 1
    assert (item.rank, item.prediction, item.true_label, item.quality) == (0, "7", "1", "multiple_digits")
    assert item.has_picture
