"""Measures and improves how well a model's confidence matches its accuracy, on images not used for training.

Temperature scaling: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017.
One temperature divides the logarithms of all probabilities; the most probable class stays the same.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.splits import split_for
from tenfold.trainer.evaluation.acceptance import STEPS, Acceptance
from tenfold.trainer.evaluation.accuracy import Evaluation
from tenfold.trainer.serving.inference import Classifier, Probabilities, log, softmax, with_temperature
from tenfold.trainer.training.loop import Trained

BINS = 15

# The range in which 1 / temperature is searched: near 0 all classes are equally probable, near infinity one is certain.
MIN_SHARPNESS, MAX_SHARPNESS = 0.01, 100.0
HALVINGS = 60

Labels = npt.NDArray[Any]
Confidence = npt.NDArray[np.floating]

# Probabilities (n, classes) and the true class indices (n,).
Answers = tuple[Probabilities, Labels]


@dataclass(frozen=True)
class Reliability:
    """Answers grouped by confidence into 15 bins of equal width over 0–1.

    `confidence` and `accuracy` are each bin's means (0 if empty), `images` its count; `error` is the expected
    calibration error (ECE): the mean distance between the two, weighted by the images.
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    images: tuple[int, ...]
    error: float


@dataclass(frozen=True)
class Calibration:
    """A temperature, the images it was fitted on, and its effect on other images.

    `fitted_on` is `validation_split`, or `half_of_test_images` for a training without one; `before`, `after` and
    `acceptance` are then measured on the other half. So none of the measured images affected the temperature.
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
    """Fit a temperature on images not used for training, and measure it on others.

    Args:
        evaluation: of the trained model on the data set's test images.
    """
    if trained.plan.validation == "split":
        split = split_for(trained.plan, dataset, trained.parameters.seed)
        assert split.validation_images is not None
        assert split.validation_labels is not None
        held_out = Classifier(trained.model, dataset.class_names, spec=dataset.input).classify(split.validation_images)
        measuring = evaluation.probabilities, evaluation.labels
        return _measured("validation_split", (held_out, split.validation_labels), measuring)
    return calibrate_on_halves(evaluation, trained.parameters.seed)


def calibrate_on_halves(evaluation: Evaluation, seed: int) -> Calibration:
    """Fit a temperature on a random half of the evaluated images, and measure it on the other."""
    shuffled = np.random.default_rng(seed).permutation(len(evaluation.labels))
    fitting, measuring = (
        (evaluation.probabilities[half], evaluation.labels[half]) for half in np.array_split(shuffled, 2)
    )
    return _measured("half_of_test_images", fitting, measuring)


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature that maximizes the likelihood of these (n,) labels under (n, classes) probabilities.

    The log-likelihood is concave in 1 / temperature, so bisection of its slope finds the maximum.
    """
    if not len(labels):
        return 1.0
    logs = log(probabilities.astype(np.float64))
    truth = logs[np.arange(len(labels)), labels].mean()
    low, high = MIN_SHARPNESS, MAX_SHARPNESS
    for _ in range(HALVINGS):
        sharpness = (low * high) ** 0.5
        expected = (softmax(logs * sharpness) * logs).sum(axis=1).mean()
        low, high = (sharpness, high) if truth > expected else (low, sharpness)
    return float(1 / (low * high) ** 0.5)


def reliability(probabilities: Probabilities, labels: Labels) -> Reliability:
    """Compare confidence with accuracy, bin by bin."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    images = np.bincount(bins, minlength=BINS)
    divisor = np.maximum(images, 1)
    mean_confidence = np.bincount(bins, weights=confidence, minlength=BINS) / divisor
    accuracy = np.bincount(bins, weights=right, minlength=BINS) / divisor
    error = float((np.abs(mean_confidence - accuracy) * images).sum() / max(len(labels), 1))
    return Reliability(tuple(mean_confidence.tolist()), tuple(accuracy.tolist()), tuple(images.tolist()), error)


def measure_acceptance(other: Confidence, confidence: Confidence, right: npt.NDArray[np.bool_]) -> Acceptance:
    """Count the accepted answers, and the wrong ones among them, above thresholds chosen on other images.

    Args:
        other: (m,) in 0–1, of images neither used for training nor counted: their quantiles are the thresholds.
        confidence: (n,) in 0–1, of images not used for training.
        right: (n,) whether each of these answers was correct.
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
