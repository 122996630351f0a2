"""The report of a finished training, from the metrics of its model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONFUSIONS_SHOWN = 6

SCORES = ("balanced_accuracy", "macro_f1", "nll", "brier")


@dataclass(frozen=True)
class Confusion:
    """The number of test images of class `true` that were classified as `predicted`."""

    true: str
    predicted: str
    images: int


@dataclass(frozen=True)
class TrainingReport:
    """`per_class` has precision, recall, F1 and images by class name; `confusions` have the most images first;
    `scores` are those of `Evaluation.scores`.
    """

    wrong: int | None
    images: int | None
    best_epoch: int | None
    epochs: int | None
    per_class: Mapping[str, Mapping[str, float]]
    confusions: list[Confusion]
    scores: Mapping[str, float]


def training_report(metrics: Mapping[str, Any]) -> TrainingReport:
    """The report of a model's metrics; figures that models of earlier releases lack are None or empty."""
    images = metrics.get("test_images")
    scores = {name: metrics[name] for name in SCORES if name in metrics}
    return TrainingReport(
        wrong=None if images is None else round((1 - metrics["test_accuracy"]) * images),
        images=images,
        best_epoch=metrics.get("best_epoch"),
        epochs=metrics.get("epochs"),
        per_class=metrics.get("per_class", {}),
        confusions=_most_frequent(metrics),
        scores=scores,
    )


def _most_frequent(metrics: Mapping[str, Any]) -> list[Confusion]:
    if "confusions" in metrics:
        return [Confusion(**mistake) for mistake in metrics["confusions"][:CONFUSIONS_SHOWN]]
    names = metrics.get("class_names", [])
    mistakes = [
        Confusion(names[true], names[predicted], images)
        for true, row in enumerate(metrics.get("confusion", []))
        for predicted, images in enumerate(row)
        if images and true != predicted
    ]
    return sorted(mistakes, key=lambda mistake: -mistake.images)[:CONFUSIONS_SHOWN]
