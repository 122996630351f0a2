"""The outcome of a comparison: figures, what may be concluded of them, and what speaks against that."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np
import numpy.typing as npt

from tenfold.trainer.evaluation.comparing import ASSUMPTIONS, Pair, Score, conclude, holm, told_apart
from tenfold.worker.comparisons.overlap import Overlap
from tenfold.worker.db.records import Model

METHODS = (
    "Accuracy: 95 % interval by Wilson's method. Difference: McNemar's exact test, two-sided, and a 95 % interval by "
    "the paired bootstrap (percentiles; one image added to each count of differing images). Models are told apart "
    "where the test has p < 0.05 and the interval doesn't hold 0."
)


@dataclass(frozen=True)
class Answers:
    """A model's answers to the compared images: (n,) indices of class names, and confidences in 0–1."""

    model: Model
    predictions: npt.NDArray[np.int64]
    confidences: npt.NDArray[np.float32]


def letters(count: int) -> tuple[str, ...]:
    """The names of the models in sentences, in their order."""
    return tuple(ascii_uppercase[:count])


def figures_of(answers: Sequence[Answers], labels: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Figures of each model, of each beside the first, and a conclusion.

    Args:
        labels: (n,) indices of class names, of the images that all models answered.
    """
    names = letters(len(answers))
    right = [each.predictions == labels for each in answers]
    scores = [Score(int(each.sum()), len(labels)) for each in right]
    pairs = [Pair(len(labels), int((right[0] & ~other).sum()), int((~right[0] & other).sum())) for other in right[1:]]
    p_values = holm([pair.p_value for pair in pairs])
    conclusions = [
        conclude(names[0], name, pair, p_value) for name, pair, p_value in zip(names[1:], pairs, p_values, strict=True)
    ]
    return {
        "images": len(labels),
        "models": [
            {
                "name": name,
                "model": each.model.id,
                "recipe": each.model.recipe,
                "dataset": each.model.dataset,
                "right": score.right,
                "accuracy": round(score.accuracy, 6),
                "accuracy_interval": [round(end, 6) for end in score.interval],
            }
            for name, each, score in zip(names, answers, scores, strict=True)
        ],
        "pairs": [
            {
                "first": names[0],
                "second": name,
                "only_first_right": pair.only_first,
                "only_second_right": pair.only_second,
                "both_wrong": int((~right[0] & ~other).sum()),
                "difference": round(pair.difference, 6),
                "difference_interval": [round(end, 6) for end in pair.interval()],
                "p_value": float(f"{pair.p_value:.3g}"),
                "corrected_p_value": float(f"{p_value:.3g}"),
                "better": (name if pair.difference > 0 else names[0]) if told_apart(pair, p_value) else None,
                "images_needed": pair.images_needed(),
                "conclusion": conclusion,
            }
            for name, pair, other, p_value, conclusion in zip(
                names[1:], pairs, right[1:], p_values, conclusions, strict=True
            )
        ],
        "conclusion": " ".join(conclusions),
        "methods": _methods(len(pairs), any("images are needed" in sentence for sentence in conclusions)),
    }


def _methods(pairs: int, estimated: bool) -> str:
    several = (
        f" Each model is compared with A. The p-values are corrected for {pairs} comparisons by Holm's method; each "
        "interval holds with 95 %, not all of them together."
    )
    return METHODS + several * (pairs > 1) + f" {ASSUMPTIONS}" * estimated


def warnings_of(models: Sequence[Model], dataset: str | None, overlaps: Sequence[Overlap], images: int) -> list[str]:
    """What makes an accuracy look better than it is.

    Args:
        dataset: the data set whose test images are compared; None for a classification.
        overlaps: for each model, the compared images that it was trained on.
        images: how many are compared.
    """
    found = []
    for name, model, overlap in zip(letters(len(models)), models, overlaps, strict=True):
        if overlap.images:
            found.append(
                f"{name} was trained on {overlap.images:,} of the {images:,} images, so its accuracy here is too high. "
                "Compare on images that no model was trained on."
            )
        if dataset == model.dataset and model.parameters.get("validation") == "test":
            found.append(
                f"{name} was measured on these test images after each epoch (validation=test). If its epochs or its "
                "hyperparameters were chosen by that, its accuracy here is too high."
            )
    return found


def notes_of(
    models: Sequence[Model],
    overlaps: Sequence[Overlap],
    classes: Sequence[str],
    *,
    left_out: dict[str, int],
    corrected: int,
) -> list[str]:
    """What a person should know of the comparison.

    Args:
        overlaps: as in `warnings_of`.
        classes: those that the images can show.
        left_out: numbers of images that are not compared, by reason.
        corrected: how many labels are a person's corrections.
    """
    notes = [f"Not compared: {count:,} images, {reason.replace('_', ' ')}." for reason, count in left_out.items()]
    if corrected:
        notes.append(
            f"{corrected:,} of the labels are people's corrections. Only uncertain answers of the "
            "classification are reviewed, so these images are harder than all images, above all for its model: the "
            "accuracies don't hold for all images."
        )
    for name, model, overlap in zip(letters(len(models)), models, overlaps, strict=True):
        if overlap.unknown:
            reasons = "; ".join(overlap.unknown)
            notes.append(f"Whether {name} was trained on some of these images is not fully known: {reasons}.")
        if others := [other for other in model.class_names if other not in classes]:
            notes.append(
                f"{name} has {len(others):,} classes that none of these images shows, such as {others[0]}; such an "
                "answer is wrong."
            )
    specs = {model.input for model in models}
    if len(specs) > 1:
        ways = ", ".join(
            f"{name} {model.input.preprocessing} {model.input.size}"
            for name, model in zip(letters(len(models)), models, strict=True)
        )
        notes.append(f"Each model was given the images prepared as for its training: {ways}.")
    return notes
