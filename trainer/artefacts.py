"""Writes what is kept of a training: the model, its figures and its pictures."""

import csv
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainer.datasets import Dataset
from trainer.errors import ModelUnfaithful
from trainer.evaluation import Evaluation
from trainer.inference import Classifier
from trainer.plots import plot_confusion, plot_curves, plot_mistakes
from trainer.training import Trained

MISTAKES_SHOWN = 32
IMAGES_COMPARED = 500


def write_artefacts(trained: Trained, evaluation: Evaluation, dataset: Dataset, directory: Path) -> dict[str, Any]:
    """Fill an empty directory, and return the metrics that it wrote.

    Writes `model.keras`, `metrics.json`, `history.csv`, `summary.txt`, `curves.png`, `confusion.png` and
    `mistakes.png`.

    Args:
        evaluation: of the trained model on the data set's test images.

    Raises:
        ModelUnfaithful: the saved model, read back, answers otherwise than the trained one.
    """
    _save_model(trained.model, evaluation, dataset, directory / "model.keras")
    metrics = _metrics(trained, evaluation, dataset)
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=2))
    _write_history(trained, directory / "history.csv")
    _write_summary(trained.model, directory / "summary.txt")
    plot_curves(trained.history, directory / "curves.png")
    plot_confusion(evaluation.confusion, dataset.class_names, directory / "confusion.png")
    worst = evaluation.worst_mistakes(MISTAKES_SHOWN)
    plot_mistakes(
        dataset.test_images[worst],
        [dataset.class_names[label] for label in evaluation.labels[worst]],
        [dataset.class_names[label] for label in evaluation.predicted[worst]],
        evaluation.probabilities.max(axis=1)[worst].tolist(),
        directory / "mistakes.png",
    )
    return metrics


def _save_model(model: keras.Model, evaluation: Evaluation, dataset: Dataset, path: Path) -> None:
    model.save(path)
    answers = Classifier.load(path).classify(dataset.test_images[:IMAGES_COMPARED])
    expected = evaluation.probabilities[:IMAGES_COMPARED]
    if not np.allclose(answers, expected, rtol=0, atol=1e-6):
        worst = float(np.abs(answers - expected).max())
        raise ModelUnfaithful(f"{path.name}, read back, differs from the trained model by up to {worst:.2g}.")


def _metrics(trained: Trained, evaluation: Evaluation, dataset: Dataset) -> dict[str, Any]:
    last = trained.history[-1]
    per_class = dict(zip(dataset.class_names, evaluation.per_class(), strict=True))
    return {
        "recipe": trained.parameters.recipe,
        "dataset": dataset.name,
        "parameters": trained.parameters.model_dump(mode="json"),
        "parameter_count": int(trained.model.count_params()),
        "train_accuracy": last.accuracy,
        "train_loss": last.loss,
        "val_accuracy": last.val_accuracy,
        "val_loss": last.val_loss,
        "test_accuracy": evaluation.accuracy,
        "test_loss": evaluation.loss,
        "test_images": len(evaluation.labels),
        "per_class": per_class,
        "seconds": round(sum(result.seconds for result in trained.history), 3),
        "versions": {name: version(name) for name in ("keras", "tensorflow", "numpy")},
    }


def _write_history(trained: Trained, path: Path) -> None:
    rows = [asdict(result) for result in trained.history]
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)


def _write_summary(model: keras.Model, path: Path) -> None:
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
