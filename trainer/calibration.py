"""How far a model's confidence can be believed, measured on images that it did not learn from."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.acceptance import STEPS, Acceptance
from trainer.datasets import Dataset
from trainer.evaluation import Evaluation
from trainer.inference import Classifier
from trainer.splits import split_for
from trainer.temperature import Probabilities, fit_temperature, with_temperature
from trainer.training import Trained

BINS = 15

Labels = npt.NDArray[Any]
Confidence = npt.NDArray[np.floating]

# Probabilities (n, classes) and the true class indices (n,).
Answers = tuple[Probabilities, Labels]


@dataclass(frozen=True)
class Reliability:
    """Answers by confidence, in 15 bins of equal width over 0–1.

    `confidence` and `accuracy` are each bin's means (0 where it is empty), `images` its count; `error` is the expected
    calibration error: the mean distance between the two, weighted by the images.
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    images: tuple[int, ...]
    error: float


@dataclass(frozen=True)
class Calibration:
    """A temperature, the images that it was fitted on, and what it does on other images.

    `fitted_on` is `validation split`, or `half of the test images` for a training that held nothing out; the
    reliabilities are then those of the other half, and so is what can be accepted. So the answers that `acceptance`
    counts are to images that had no part in the temperature.
    """

    temperature: float
    fitted_on: str
    images: int
    before: Reliability
    after: Reliability
    acceptance: Acceptance

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def calibrate(trained: Trained, evaluation: Evaluation, dataset: Dataset) -> Calibration:
    """Fit a temperature on images that the model did not learn from, and measure it on others.

    Args:
        evaluation: of the trained model on the data set's test images.
    """
    if trained.plan.validation == "split":
        split = split_for(trained.plan, dataset, trained.parameters.seed)
        assert split.validation_images is not None
        assert split.validation_labels is not None
        held_out = Classifier(trained.model, dataset.class_names).classify(split.validation_images)
        measuring = evaluation.probabilities, evaluation.labels
        return _measured("validation split", (held_out, split.validation_labels), measuring)
    shuffled = np.random.default_rng(trained.parameters.seed).permutation(len(evaluation.labels))
    fitting, measuring = (
        (evaluation.probabilities[half], evaluation.labels[half]) for half in np.array_split(shuffled, 2)
    )
    return _measured("half of the test images", fitting, measuring)


def reliability(probabilities: Probabilities, labels: Labels) -> Reliability:
    """Compare confidence with accuracy, bin by bin."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    images = np.bincount(bins, minlength=BINS)
    most = np.maximum(images, 1)
    mean_confidence = np.bincount(bins, weights=confidence, minlength=BINS) / most
    accuracy = np.bincount(bins, weights=right, minlength=BINS) / most
    error = float((np.abs(mean_confidence - accuracy) * images).sum() / max(len(labels), 1))
    return Reliability(tuple(mean_confidence.tolist()), tuple(accuracy.tolist()), tuple(images.tolist()), error)


def measure_acceptance(other: Confidence, confidence: Confidence, right: npt.NDArray[np.bool_]) -> Acceptance:
    """What is accepted, and what of it is wrong, above thresholds that other images choose.

    Args:
        other: (m,) in 0–1, of images that are neither learned from nor counted: their quantiles are the thresholds.
        confidence: (n,) in 0–1, of images that the model did not learn from.
        right: (n,) whether each of these answers was.
    """
    quantiles = np.sort(other)[np.arange(1, STEPS) * len(other) // STEPS] if len(other) else other
    thresholds = np.unique(np.append(quantiles, 0.0))[::-1]
    return Acceptance(
        tuple(thresholds.tolist()),
        tuple((_above(thresholds, other) * (len(confidence) / max(len(other), 1))).tolist()),
        tuple(_above(thresholds, confidence).tolist()),
        tuple(_above(thresholds, confidence[~right]).tolist()),
    )


def _above(thresholds: npt.NDArray[np.floating], confidence: Confidence) -> npt.NDArray[np.int64]:
    return len(confidence) - np.searchsorted(np.sort(confidence), thresholds, side="right")


def _measured(fitted_on: str, fitting: Answers, measuring: Answers) -> Calibration:
    temperature = fit_temperature(*fitting)
    probabilities, labels = measuring
    calibrated = with_temperature(probabilities, temperature)
    return Calibration(
        temperature,
        fitted_on,
        len(fitting[1]),
        before=reliability(probabilities, labels),
        after=reliability(calibrated, labels),
        acceptance=measure_acceptance(
            with_temperature(fitting[0], temperature).max(axis=1),
            calibrated.max(axis=1),
            calibrated.argmax(axis=1) == labels,
        ),
    )
