"""What is kept of a training can be opened with plain tools."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from PIL import Image

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.errors import ModelUnfaithful
from tenfold.trainer.evaluation.accuracy import Evaluation, evaluate
from tenfold.trainer.evaluation.calibration import Calibration, calibrate
from tenfold.trainer.reports.artifacts import write_artifacts
from tenfold.trainer.reports.card_metadata import front_matter
from tenfold.trainer.serving.inference import Classifier
from tenfold.trainer.training.loop import Trained, train
from tests.trainer.trainings import SMALL

MODEL = ["model.keras", "novelty.npz"]
PICTURES = ["confusion.png", "curves.png", "mistakes.png", "predictions.png", "reliability.png", "samples.png"]
TEXTS = ["history.csv", "metrics.json", "model_card.md", "summary.txt"]


@pytest.fixture(scope="module")
def evaluation(with_dropout: Trained, whole_batches: Dataset) -> Evaluation:
    return evaluate(with_dropout.model, whole_batches.test_images, whole_batches.test_labels)


@pytest.fixture(scope="module")
def calibration(with_dropout: Trained, evaluation: Evaluation, whole_batches: Dataset) -> Calibration:
    return calibrate(with_dropout, evaluation, whole_batches)


@pytest.fixture(scope="module")
def written(
    with_dropout: Trained,
    evaluation: Evaluation,
    calibration: Calibration,
    whole_batches: Dataset,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, Any]]:
    """The folder that was filled, and the metrics that were returned."""
    directory = tmp_path_factory.mktemp("model")
    return directory, write_artifacts(with_dropout, evaluation, calibration, whole_batches, directory)


def write(trained: Trained, dataset: Dataset, directory: Path) -> dict[str, Any]:
    """From a training to its folder, as a worker goes."""
    measured = evaluate(trained.model, dataset.test_images, dataset.test_labels)
    return write_artifacts(trained, measured, calibrate(trained, measured, dataset), dataset, directory)


def test_the_folder_holds_these_files_and_no_others(written: tuple[Path, dict[str, Any]]) -> None:
    assert sorted(file.name for file in written[0].iterdir()) == sorted([*PICTURES, *TEXTS, *MODEL])


def test_plain_keras_loads_the_model_and_it_answers_the_same(
    written: tuple[Path, dict[str, Any]], with_dropout: Trained, whole_batches: Dataset
) -> None:
    loaded = keras.models.load_model(written[0] / "model.keras")

    images = whole_batches.test_images.astype("float32") / 255
    assert (loaded.predict(images, verbose=0) == with_dropout.model.predict(images, verbose=0)).all()


def test_the_metrics_are_those_that_were_returned(
    written: tuple[Path, dict[str, Any]], with_dropout: Trained, evaluation: Evaluation, calibration: Calibration
) -> None:
    directory, returned = written

    metrics = json.loads((directory / "metrics.json").read_text())

    assert metrics == json.loads(json.dumps(returned))
    assert (metrics["recipe"], metrics["dataset"]) == ("dropout-128-32", "mnist")
    assert metrics["class_names"] == list("0123456789")
    assert metrics["parameter_count"] == 104_938
    assert (metrics["train_images"], metrics["test_images"]) == (2048, 500)
    assert metrics["test_accuracy"] == evaluation.accuracy
    assert metrics["test_loss"] == evaluation.loss
    assert list(metrics["per_class"].values()) == evaluation.per_class()
    assert metrics["confusion"] == evaluation.confusion.tolist()
    assert metrics["calibration"] == json.loads(json.dumps(calibration.as_dict()))
    last = with_dropout.history[-1]
    assert (metrics["train_accuracy"], metrics["train_loss"]) == (last.accuracy, last.loss)
    assert (metrics["val_accuracy"], metrics["val_loss"]) == (last.val_accuracy, last.val_loss)
    assert (metrics["best_epoch"], metrics["epochs"]) == (2, 2)
    assert metrics["parameters"] == with_dropout.parameters.model_dump(mode="json")
    assert metrics["parameters"]["batch_size"] == 32
    assert sum(figures["images"] for figures in metrics["per_class"].values()) == 500
    assert set(metrics["versions"]) == {"keras", keras.backend.backend(), "numpy"}


def test_the_worst_mistakes_are_listed_with_what_was_seen_in_them(
    written: tuple[Path, dict[str, Any]], evaluation: Evaluation, whole_batches: Dataset
) -> None:
    listed = written[1]["worst_mistakes"]

    assert len(listed) == 20
    assert [row["test_image"] for row in listed] == evaluation.worst_mistakes(20).tolist()
    for row in listed:
        assert row["true"] == str(whole_batches.test_labels[row["test_image"]]) != row["predicted"]
        assert row["confidence"] == pytest.approx(evaluation.probabilities[row["test_image"]].max())


def test_the_history_has_a_row_for_each_epoch(written: tuple[Path, dict[str, Any]], with_dropout: Trained) -> None:
    with (written[0] / "history.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert [int(row["epoch"]) for row in rows] == [1, 2]
    assert float(rows[-1]["val_loss"]) == with_dropout.history[-1].val_loss


def test_the_summary_shows_every_layer_s_parameters(written: tuple[Path, dict[str, Any]]) -> None:
    summary = (written[0] / "summary.txt").read_text()

    assert all(count in summary for count in ("100,480", "4,128", "330", "104,938"))
    assert "\x1b" not in summary


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_pictures(name: str, written: tuple[Path, dict[str, Any]]) -> None:
    with Image.open(written[0] / name) as picture:
        picture.load()
        assert min(picture.size) > 200
        assert len(set(np.asarray(picture.convert("L")).ravel().tolist())) > 10


@pytest.fixture(scope="module")
def of_animals(animals: Dataset) -> Trained:
    """Three classes with names of their own, one-hot, without validation."""
    parameters = TrainingParameters(**SMALL, dataset="animals", epochs=2, label_smoothing=0.1, exports="savedmodel")
    return train(parameters, animals)


@pytest.fixture(scope="module")
def written_of_animals(
    of_animals: Trained, animals: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("animals")
    return directory, write(of_animals, animals, directory)


def test_other_classes_than_digits_are_told_by_their_names(
    written_of_animals: tuple[Path, dict[str, Any]], of_animals: Trained, animals: Dataset
) -> None:
    names = ["cat", "dog", "guinea pig"]

    directory, metrics = written_of_animals

    assert of_animals.model.output_shape == (None, 3)
    assert (metrics["dataset"], metrics["class_names"], list(metrics["per_class"])) == ("animals", names, names)
    assert np.array(metrics["confusion"]).sum(axis=1).tolist() == np.bincount(animals.test_labels).tolist()
    assert metrics["test_accuracy"] > 0.6, "it learned to tell them apart"
    for row in metrics["worst_mistakes"]:
        assert row["true"] == names[animals.test_labels[row["test_image"]]]
        assert row["predicted"] in names
    assert "one of 3 classes: cat, dog, guinea pig." in (directory / "model_card.md").read_text()
    loaded = Classifier.load(directory / "model.keras", animals.class_names)
    assert loaded.classify(animals.test_images[:7]).shape == (7, 3)


def test_without_validation_its_columns_are_empty(
    written_of_animals: tuple[Path, dict[str, Any]], of_animals: Trained
) -> None:
    directory, metrics = written_of_animals

    with (directory / "history.csv").open() as file:
        *_, row = csv.DictReader(file)
    assert (row["val_loss"], row["val_accuracy"]) == ("", "")
    assert float(row["loss"]) == of_animals.history[-1].loss
    assert (metrics["val_loss"], metrics["val_accuracy"]) == (None, None)


def test_the_exports_that_the_parameters_name_are_written_too(
    written_of_animals: tuple[Path, dict[str, Any]],
) -> None:
    directory, _ = written_of_animals

    assert (directory / "savedmodel" / "saved_model.pb").is_file()
    assert sorted(file.name for file in directory.iterdir()) == sorted([*PICTURES, *TEXTS, *MODEL, "savedmodel"])


def test_after_early_stopping_the_figures_are_those_of_the_best_epoch(
    stopped_early: Trained, whole_batches: Dataset, tmp_path: Path
) -> None:
    metrics = write(stopped_early, whole_batches, tmp_path)

    best = stopped_early.history[stopped_early.best_epoch - 1]
    assert metrics["best_epoch"] == best.epoch < metrics["epochs"] == len(stopped_early.history)
    assert (metrics["train_loss"], metrics["val_loss"]) == (best.loss, best.val_loss)
    assert metrics["calibration"]["fitted_on"] == "validation_split"
    card = (tmp_path / "model_card.md").read_text()
    assert f"- Epochs run: {metrics['epochs']}; weights of epoch {best.epoch}\n" in card
    assert "- Held out for validation: 25% of the training images\n" in card


def test_a_model_that_reads_back_otherwise_is_refused(
    with_dropout: Trained, evaluation: Evaluation, calibration: Calibration, whole_batches: Dataset, tmp_path: Path
) -> None:
    of_another_model = replace(evaluation, probabilities=np.roll(evaluation.probabilities, 1, axis=1))

    with pytest.raises(ModelUnfaithful, match=r"model\.keras"):
        write_artifacts(with_dropout, of_another_model, calibration, whole_batches, tmp_path)


def test_the_model_card_mentions_every_figure(written: tuple[Path, dict[str, Any]]) -> None:
    directory, metrics = written

    card = (directory / "model_card.md").read_text(encoding="utf-8")

    calibrated = metrics["calibration"]
    told = [
        "# dropout-128-32 on mnist",
        f"| accuracy | {metrics['test_accuracy']:.2%} |",
        f"| loss | {metrics['test_loss']:.4f} |",
        f"| calibration error (ECE) | {calibrated['before']['error']:.2%} |",
        f"| ECE after temperature scaling ({calibrated['temperature']:.3f}) | {calibrated['after']['error']:.2%} |",
        "On 500 test images",
        "- Data: mnist, 2,048 training images",
        "- Recipe: dropout-128-32, 104,938 parameters",
        "- Epochs run: 2; weights of epoch 2",
        f"- Training time: {metrics['seconds']:.1f} s",
        "- Temperature fitted on: half of test images (250 images)",
        *(f"{name} {version}" for name, version in metrics["versions"].items()),
    ]
    for name, figures in metrics["per_class"].items():
        shares = " | ".join(f"{figures[figure]:.2%}" for figure in ("precision", "recall", "f1"))
        told.append(f"| {name} | {shares} | {figures['images']} |")
    lines = card.splitlines()
    for text in told:
        assert any(line.startswith(text) if text[0] in "|#" else text in line for line in lines), text


def test_the_model_card_begins_with_metadata_for_the_hugging_face_hub(written: tuple[Path, dict[str, Any]]) -> None:
    directory, metrics = written

    nothing, metadata, text = (directory / "model_card.md").read_text(encoding="utf-8").split("---\n", 2)

    assert nothing == ""
    assert text.startswith("# dropout-128-32 on mnist\n")
    f1 = [figures["f1"] for figures in metrics["per_class"].values()]
    assert yaml.safe_load(metadata) == {
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "tenfold"],
        "datasets": ["ylecun/mnist"],
        "metrics": ["accuracy", "f1"],
        "model-index": [
            {
                "name": "dropout-128-32 on mnist",
                "results": [
                    {
                        "task": {"type": "image-classification", "name": "Image Classification"},
                        "dataset": {"type": "ylecun/mnist", "name": "mnist", "split": "test"},
                        "metrics": [
                            {"type": "accuracy", "name": "Accuracy", "value": metrics["test_accuracy"]},
                            {
                                "type": "f1",
                                "name": "Macro F1",
                                "value": pytest.approx(np.mean(f1), abs=1e-6),
                                "args": {"average": "macro"},
                            },
                        ],
                    }
                ],
            }
        ],
    }


def test_the_metadata_of_other_data_names_no_data_set_of_the_hub(
    written_of_animals: tuple[Path, dict[str, Any]],
) -> None:
    _, metadata, _ = (written_of_animals[0] / "model_card.md").read_text(encoding="utf-8").split("---\n", 2)

    parsed = yaml.safe_load(metadata)

    assert "datasets" not in parsed
    assert parsed["model-index"][0]["results"][0]["dataset"] == {
        "type": "imagefolder",
        "name": "animals",
        "split": "test",
    }


def test_a_model_that_was_not_measured_has_metadata_without_results() -> None:
    metrics = {"dataset": None, "versions": {"onnx": "1.20"}, "test_images": 0}

    assert yaml.safe_load(front_matter("a: b #", metrics, trained_here=False).strip("-\n")) == {
        "library_name": "onnx",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "tenfold"],
    }


def test_the_model_card_names_every_parameter_with_its_value(written: tuple[Path, dict[str, Any]]) -> None:
    card = (written[0] / "model_card.md").read_text(encoding="utf-8").splitlines()

    for name, value in written[1]["parameters"].items():
        if name not in ("recipe", "dataset", "exports", "from_model", "freeze"):
            shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
            assert f"- {name.replace('_', ' ').capitalize()}: {shown}" in card
    assert "- Units: 128, 32" in card
    assert "- Filters: none" in card
    assert "- Dropout: 0.2" in card
