"""Writes the files of a trained model: the model itself, metrics, model card and plots."""

import csv
import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.preview import plot_samples
from tenfold.trainer.errors import ModelUnfaithful
from tenfold.trainer.evaluation.accuracy import Evaluation
from tenfold.trainer.evaluation.calibration import Calibration
from tenfold.trainer.evaluation.forgetting import Forgetting
from tenfold.trainer.evaluation.novelty import fit_novelty
from tenfold.trainer.reports.confusion_plot import draw_confusion, most_confused
from tenfold.trainer.reports.model_card import model_card
from tenfold.trainer.reports.plots import plot_curves, plot_reliability
from tenfold.trainer.reports.sheets import draw_mistakes, draw_predictions
from tenfold.trainer.serving.inference import Classifier
from tenfold.trainer.training.finetuning import weights_sha256
from tenfold.trainer.training.loop import Trained

MISTAKES_SHOWN = 32
MISTAKES_LISTED = 20
PREDICTIONS_SHOWN = 32
CONFUSIONS_LISTED = 20
# The matrix of more classes would fill megabytes of `metrics.json`, which pages read.
MAX_MATRIX_CLASSES = 100
IMAGES_COMPARED = 500


def write_artifacts(
    trained: Trained,
    evaluation: Evaluation,
    calibration: Calibration,
    dataset: Dataset,
    directory: Path,
    forgetting: Forgetting | None = None,
) -> dict[str, Any]:
    """Write all files into an empty directory, and return the metrics.

    Writes the model (`model.keras` and the requested exports), its out-of-distribution detector (`novelty.npz`), its
    metrics (`metrics.json`, `history.csv`, `summary.txt`, `model_card.md`) and plots (`curves.png`, `confusion.png`,
    `mistakes.png`, `predictions.png`, `reliability.png`, `samples.png`).

    Args:
        evaluation: of the trained model on the data set's test images.
        forgetting: of the model that it started from, if it was measured.

    Raises:
        ModelUnfaithful: the saved model or an export gives other answers than the trained model.
        ExportUnavailable: a package that an export needs is missing.
    """
    _save_model(trained.model, evaluation, dataset, directory / "model.keras")
    _export(trained, evaluation, dataset, directory)
    novelty = fit_novelty(
        dataset.train_images,
        dataset.train_labels,
        dataset.test_images,
        evaluation.predicted,
        classes=len(dataset.class_names),
        seed=trained.parameters.seed,
    )
    novelty.save(directory / "novelty.npz")
    metrics = _metrics(trained, evaluation, calibration, dataset) | {
        "forgetting": forgetting.as_dict() if forgetting else None
    }
    (directory / "model_card.md").write_text(model_card(metrics), encoding="utf-8")
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=2))
    _write_history(trained, directory / "history.csv")
    _write_summary(trained.model, directory / "summary.txt")
    plot_curves(trained.history, directory / "curves.png")
    draw_confusion(evaluation.confusion, dataset.class_names, directory / "confusion.png")
    plot_reliability(calibration, directory / "reliability.png")
    plot_samples(dataset, directory / "samples.png")
    shown = np.random.default_rng(trained.parameters.seed).permutation(len(evaluation.labels))[:PREDICTIONS_SHOWN]
    draw_predictions(*_captions(evaluation, dataset, shown), directory / "predictions.png")
    worst = evaluation.worst_mistakes(MISTAKES_SHOWN)
    draw_mistakes(*_captions(evaluation, dataset, worst), directory / "mistakes.png")
    return metrics


def _captions(
    evaluation: Evaluation, dataset: Dataset, which: npt.NDArray[np.int64]
) -> tuple[Bytes, list[str], list[str], list[float]]:
    """These test images with their true and predicted labels and confidences."""
    return (
        dataset.test_images[which],
        [dataset.class_names[label] for label in evaluation.labels[which]],
        [dataset.class_names[label] for label in evaluation.predicted[which]],
        evaluation.probabilities.max(axis=1)[which].tolist(),
    )


def _save_model(model: keras.Model, evaluation: Evaluation, dataset: Dataset, path: Path) -> None:
    model.save(path)
    answers = Classifier.load(path, dataset.class_names, spec=dataset.input).classify(
        dataset.test_images[:IMAGES_COMPARED]
    )
    expected = evaluation.probabilities[:IMAGES_COMPARED]
    if not np.allclose(answers, expected, rtol=0, atol=1e-6):
        worst = float(np.abs(answers - expected).max())
        raise ModelUnfaithful(
            f"{path.name} was saved, but its probabilities differ from the trained model's by up to {worst:.2g}."
        )


def _export(trained: Trained, evaluation: Evaluation, dataset: Dataset, directory: Path) -> None:
    if trained.parameters.exports:
        from tenfold.trainer.serving.exports import export_model  # needs TensorFlow, which a worker on JAX may lack
    compared = slice(IMAGES_COMPARED)
    for kind in trained.parameters.exports:
        images, expected = dataset.test_images[compared], evaluation.probabilities[compared]
        export_model(trained.model, kind, directory, images, expected, dataset.input)


def _metrics(trained: Trained, evaluation: Evaluation, calibration: Calibration, dataset: Dataset) -> dict[str, Any]:
    last = trained.history[trained.best_epoch - 1]
    worst = evaluation.worst_mistakes(MISTAKES_LISTED)
    _, true, predicted, confidences = _captions(evaluation, dataset, worst)
    per_class = dict(zip(dataset.class_names, evaluation.per_class(), strict=True))
    return {
        "recipe": trained.parameters.recipe,
        "dataset": dataset.name,
        "class_names": list(dataset.class_names),
        "input": dataset.input.as_dict(),
        "content_sha256": dataset.content_sha256,
        "train_images": len(dataset.train_labels),
        "parameters": trained.parameters.model_dump(mode="json"),
        "parameter_count": int(trained.model.count_params()),
        "weights_sha256": weights_sha256(trained.model),
        "ancestors": trained.ancestor.lineage() if trained.ancestor else [],
        "train_accuracy": last.accuracy,
        "train_loss": last.loss,
        "val_accuracy": last.val_accuracy,
        "val_loss": last.val_loss,
        "test_accuracy": evaluation.accuracy,
        "test_loss": evaluation.loss,
        "test_images": len(evaluation.labels),
        **evaluation.scores(),
        "per_class": per_class,
        "confusion": evaluation.confusion.tolist() if len(dataset.class_names) <= MAX_MATRIX_CLASSES else [],
        "confusions": [
            {"true": dataset.class_names[true], "predicted": dataset.class_names[wrong], "images": images}
            for true, wrong, images in most_confused(evaluation.confusion, CONFUSIONS_LISTED)
        ],
        "worst_mistakes": [
            {"test_image": int(index), "true": truth, "predicted": label, "confidence": confidence}
            for index, truth, label, confidence in zip(worst, true, predicted, confidences, strict=True)
        ],
        "calibration": calibration.as_dict(),
        "best_epoch": trained.best_epoch,
        "epochs": len(trained.history),
        "seconds": round(sum(result.seconds for result in trained.history), 3),
        "versions": {name: import_module(name).__version__ for name in ("keras", keras.backend.backend(), "numpy")},
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
