"""Reproducing the recipes: statistics over seeds, a table, and a page to look at."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import pytest
from PIL import Image

from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.reports.reproduce import Reproduction, markdown_table, reproduce, write_report

RECIPE = RECIPES["rmsprop-512"]

EPOCHS_TOLD: list[None] = []


@pytest.fixture(scope="module")
def reproduction(whole_batches: Dataset) -> Reproduction:
    return reproduce(RECIPE, seeds=[1, 2], dataset=whole_batches, on_epoch=lambda: EPOCHS_TOLD.append(None))


def test_each_seed_is_a_run_of_its_own_with_all_epochs(reproduction: Reproduction) -> None:
    assert [run.seed for run in reproduction.runs] == [1, 2]
    assert [len(run.history) for run in reproduction.runs] == [5, 5]
    assert len({run.test_loss for run in reproduction.runs}) == 2
    assert len(EPOCHS_TOLD) == 10


def test_the_row_holds_mean_and_spread_over_the_seeds(reproduction: Reproduction) -> None:
    row = reproduction.row()
    accuracies = [run.test_accuracy for run in reproduction.runs]

    assert row["recipe"] == "rmsprop-512"
    assert row["parameters"] == 407_050
    assert row["seeds"] == 2
    assert row["test_accuracy_mean"] == mean(accuracies)
    assert row["test_accuracy_sd"] == stdev(accuracies)


def test_one_seed_has_no_spread(reproduction: Reproduction) -> None:
    assert replace(reproduction, runs=reproduction.runs[:1]).row()["test_accuracy_sd"] == 0


def test_the_table_sets_ours_beside_the_published_figures(reproduction: Reproduction) -> None:
    *_, line = markdown_table([reproduction.row()])

    assert "| rmsprop-512 | 407,050 | train accuracy 98.90%, test accuracy 98.04% |" in line
    assert f"{reproduction.row()['test_accuracy_mean']:.2%} ±" in line


def test_the_report_shows_a_picture_of_every_recipe(reproduction: Reproduction, tmp_path: Path) -> None:
    page = write_report([reproduction], tmp_path / "report")

    assert "![Learning curves of rmsprop-512](rmsprop-512.png)" in page.read_text()
    with Image.open(page.parent / "rmsprop-512.png") as picture:
        assert picture.width > 800


def test_an_unknown_recipe_is_refused_by_the_command() -> None:
    done = tenfold_reproduce("--recipes", "no-such")

    assert done.returncode == 2
    assert "sigmoid-100" in done.stderr


def test_the_command_prints_a_table_and_writes_rows_and_report(datasets: Path, tmp_path: Path) -> None:
    (tmp_path / "datasets").symlink_to(datasets)

    done = tenfold_reproduce(
        *("--recipes", "rmsprop-512", "--seeds", "1"), *("--data", tmp_path, "--json", tmp_path / "rows.json")
    )

    assert done.returncode == 0, done.stderr
    [row] = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert row["test_accuracy_mean"] > 0.97
    assert "| rmsprop-512 | 407,050 |" in done.stdout
    assert (tmp_path / "reproduce" / "report.md").is_file()


def tenfold_reproduce(*options: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from tenfold.cli import main; main()", "reproduce"]
    return subprocess.run([*command, *map(str, options)], capture_output=True, text=True)
