"""What is kept of a training can be opened with plain tools."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from trainer.artefacts import write_artefacts
from trainer.datasets import Dataset
from trainer.errors import ModelUnfaithful
from trainer.evaluation import Evaluation, evaluate
from trainer.parameters import TrainingParameters
from trainer.plots import plot_mistakes
from trainer.training import Trained, train


@pytest.fixture(scope="module")
def trained(digits: Dataset) -> Trained:
    return train(TrainingParameters(recipe="dropout-128-32", epochs=2), digits)


@pytest.fixture(scope="module")
def evaluation(trained: Trained, digits: Dataset) -> Evaluation:
    return evaluate(trained.model, digits.test_images, digits.test_labels)


@pytest.fixture(scope="module")
def written(
    trained: Trained, evaluation: Evaluation, digits: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The folder that was filled, and the metrics that were returned."""
    directory = tmp_path_factory.mktemp("model")
    return directory, write_artefacts(trained, evaluation, digits, directory)


def test_the_folder_holds_these_files_and_no_others(written: tuple[Path, dict[str, Any]]) -> None:
    assert sorted(file.name for file in written[0].iterdir()) == [
        *("confusion.png", "curves.png", "history.csv", "metrics.json", "mistakes.png", "model.keras", "summary.txt")
    ]


def test_plain_keras_loads_the_model_and_it_answers_the_same(
    written: tuple[Path, dict[str, Any]], trained: Trained, digits: Dataset
) -> None:
    loaded = keras.models.load_model(written[0] / "model.keras")

    images = digits.test_images.astype("float32") / 255
    assert (loaded.predict(images, verbose=0) == trained.model.predict(images, verbose=0)).all()


def test_the_metrics_are_those_that_were_returned(
    written: tuple[Path, dict[str, Any]], trained: Trained, evaluation: Evaluation
) -> None:
    directory, returned = written

    metrics = json.loads((directory / "metrics.json").read_text())

    assert metrics == returned
    assert metrics["recipe"] == "dropout-128-32"
    assert metrics["parameter_count"] == 104_938
    assert metrics["test_accuracy"] == evaluation.accuracy
    assert metrics["test_loss"] == evaluation.loss
    assert list(metrics["per_class"].values()) == evaluation.per_class()
    assert metrics["train_accuracy"] == trained.history[-1].accuracy
    assert metrics["parameters"]["batch_size"] == 32
    assert sum(figures["images"] for figures in metrics["per_class"].values()) == 500
    assert set(metrics["versions"]) >= {"keras", "tensorflow", "numpy"}


def test_the_history_has_a_row_for_each_epoch(written: tuple[Path, dict[str, Any]], trained: Trained) -> None:
    with (written[0] / "history.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert [int(row["epoch"]) for row in rows] == [1, 2]
    assert float(rows[-1]["val_loss"]) == trained.history[-1].val_loss


def test_without_validation_its_columns_are_empty(digits: Dataset, tmp_path: Path) -> None:
    trained = train(TrainingParameters(recipe="sigmoid-100", epochs=1), digits)

    write_artefacts(trained, evaluate(trained.model, digits.test_images, digits.test_labels), digits, tmp_path)

    with (tmp_path / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["val_loss"], row["val_accuracy"]) == ("", "")
    assert float(row["loss"]) == trained.history[0].loss


def test_the_summary_shows_every_layer_s_parameters(written: tuple[Path, dict[str, Any]]) -> None:
    summary = (written[0] / "summary.txt").read_text()

    assert all(count in summary for count in ("100,480", "4,128", "330", "104,938"))
    assert "\x1b" not in summary


@pytest.mark.parametrize("name", ["curves.png", "confusion.png", "mistakes.png"])
def test_the_pictures_are_pictures(name: str, written: tuple[Path, dict[str, Any]]) -> None:
    with Image.open(written[0] / name) as picture:
        picture.load()
        assert min(picture.size) > 200
        assert len(set(np.asarray(picture.convert("L")).ravel().tolist())) > 10


def test_no_mistakes_make_a_sheet_too(tmp_path: Path) -> None:
    plot_mistakes(np.zeros((0, 28, 28), np.uint8), [], [], [], tmp_path / "mistakes.png")

    assert (tmp_path / "mistakes.png").stat().st_size > 0


def test_a_model_that_reads_back_otherwise_is_refused(
    trained: Trained, evaluation: Evaluation, digits: Dataset, tmp_path: Path
) -> None:
    of_another_model = replace(evaluation, probabilities=np.roll(evaluation.probabilities, 1, axis=1))

    with pytest.raises(ModelUnfaithful, match=r"model\.keras"):
        write_artefacts(trained, of_another_model, digits, tmp_path)
