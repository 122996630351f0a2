"""Writes the files of an imported model: metrics, model card, and plots of what was measured on a sample."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.trainer.evaluation.acceptance import wilson
from tenfold.trainer.importing.measuring import SEED, Measured
from tenfold.trainer.importing.opening import Opened
from tenfold.trainer.importing.outputs import SUMMARY
from tenfold.trainer.input_spec import InputSpec
from tenfold.trainer.reports.card_metadata import front_matter
from tenfold.trainer.reports.confusion_plot import draw_confusion
from tenfold.trainer.reports.model_card import quality
from tenfold.trainer.reports.plots import plot_reliability
from tenfold.trainer.reports.sheets import draw_mistakes, draw_predictions

IMAGES_SHOWN = 32

FORMATS = {"keras": "a .keras file", "h5": "a legacy .h5 file of Keras", "savedmodel": "a SavedModel", "onnx": "ONNX"}

NOT_MEASURED = (
    "Nothing was measured, since no labeled sample was given: how good the model is isn't known, and no answers are "
    "accepted without review. Import it again with a sample (--check)."
)
NO_NOVELTY = "Out-of-distribution images are not detected: that takes at least 40 labeled images of each class."
OWN_SAMPLE = (
    "Out-of-distribution detection was learned from half of the sample, since the images of the training aren't known."
)


def write_imported(
    opened: Opened,
    made: Path,
    origin: Mapping[str, Any],
    spec: InputSpec,
    class_names: Sequence[str],
    measured: Measured | None,
    notes: Sequence[str],
    directory: Path,
) -> dict[str, Any]:
    """Write all files into an empty directory, and return the metrics.

    Writes the network (`model.keras` or `model.onnx`), `summary.txt`, `metrics.json` and `model_card.md`; with a
    sample `confusion.png`, `reliability.png`, `mistakes.png`, `predictions.png`, and `novelty.npz` if it is large
    enough.

    Args:
        made: the directory that the network was written to when it was opened.
        origin: where the model is from: `file`, `sha256`, `bytes`, `name`, `imported_by`.
        notes: what was assumed, for people.
    """
    for name in (opened.file, SUMMARY):
        shutil.copyfile(made / name, directory / name)
    metrics: dict[str, Any] = {
        "recipe": "imported",
        "dataset": measured.sample.name if measured else None,
        "class_names": list(class_names),
        "input": spec.as_dict(),
        "origin": {
            **origin,
            "kind": "imported",
            "format": opened.format,
            "network_input": list(opened.shape),
            "layout": opened.layout,
            "output": opened.output,
            "batch": opened.batch,
        },
        "parameter_count": opened.parameter_count,
        "seconds_per_image": opened.seconds_per_image,
        "test_accuracy": None,
        "test_loss": None,
        "test_images": 0,
        "notes": list(notes),
        "versions": opened.versions,
    }
    if measured:
        metrics |= _measurement(measured, class_names)
        _write_plots(measured, class_names, directory)
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=2))
    card = front_matter(origin["name"], metrics, trained_here=False) + "\n".join(_card(metrics, spec)) + "\n"
    (directory / "model_card.md").write_text(card, encoding="utf-8")
    return metrics


def _measurement(measured: Measured, class_names: Sequence[str]) -> dict[str, Any]:
    evaluation = measured.evaluation
    return {
        "test_accuracy": evaluation.accuracy,
        "test_loss": evaluation.loss,
        "test_images": len(evaluation.labels),
        **evaluation.scores(),
        "per_class": dict(zip(class_names, evaluation.per_class(), strict=True)),
        "confusion": evaluation.confusion.tolist(),
        "calibration": measured.calibration.as_dict(),
        "mistakes": [mistake.message for mistake in measured.mistakes],
    }


def _write_plots(measured: Measured, class_names: Sequence[str], directory: Path) -> None:
    evaluation, images = measured.evaluation, measured.sample.images
    if measured.novelty:
        measured.novelty.save(directory / "novelty.npz")
    draw_confusion(evaluation.confusion, class_names, directory / "confusion.png")
    plot_reliability(measured.calibration, directory / "reliability.png")

    def captions(which: Any) -> tuple[Any, list[str], list[str], list[float]]:
        return (
            images[which],
            [class_names[label] for label in evaluation.labels[which]],
            [class_names[label] for label in evaluation.predicted[which]],
            evaluation.probabilities.max(axis=1)[which].tolist(),
        )

    shown = np.random.default_rng(SEED).permutation(len(images))[:IMAGES_SHOWN]
    draw_predictions(*captions(shown), directory / "predictions.png")
    draw_mistakes(*captions(evaluation.worst_mistakes(IMAGES_SHOWN)), directory / "mistakes.png")


def _card(metrics: Mapping[str, Any], spec: InputSpec) -> Iterator[str]:
    origin, classes = metrics["origin"], metrics["class_names"]
    yield f"# {origin['name']} (imported)"
    yield ""
    yield (
        f"Classifies images of {spec.size} pixels as one of {len(classes)} classes: {', '.join(classes)}. It was not "
        "trained by Tenfold: how, and on which images, isn't known."
    )
    yield ""
    yield "## Origin"
    yield ""
    yield f"- File: {origin['file']}, {FORMATS[origin['format']]}, {origin['bytes']:,} bytes"
    yield f"- SHA-256: {origin['sha256']}"
    yield f"- Imported by: {origin['imported_by'] or 'anonymous'}"
    yield f"- Parameters: {metrics['parameter_count']:,}"
    yield f"- Processor time: {metrics['seconds_per_image'] * 1000:.3g} ms an image"
    yield ""
    yield "## Input"
    yield ""
    yield f"As declared at the import: {spec.description}"
    yield ""
    yield f"- Size: {spec.size}; the network takes {tuple(origin['network_input'])}, {origin['layout']}"
    yield f"- Scaling: pixels to {spec.scaling}; orientation: {spec.orientation}"
    for note in metrics["notes"]:
        yield f"- {note}"
    yield ""
    yield "## Quality"
    yield ""
    if not metrics["test_images"]:
        yield NOT_MEASURED
        yield ""
    else:
        yield from _quality(metrics)
    yield "## Limitations"
    yield ""
    yield "- Every image gets one of these classes, even if it shows none of them."
    yield "- Accuracy is lower on images unlike those that the model was trained on."


def _quality(metrics: Mapping[str, Any]) -> Iterator[str]:
    tested = metrics["test_images"]
    low, high = wilson(round(metrics["test_accuracy"] * tested), tested)
    yield (
        f"On {tested:,} labeled images of {metrics['dataset']}, chosen by the person who imported the model; whether "
        f"they were used for its training isn't known. Accuracy with 95 % confidence: {low:.2%} to {high:.2%}."
    )
    yield ""
    for message in metrics["mistakes"]:
        yield f"**{message}**"
        yield ""
    yield from quality(dict(metrics))
