"""How far a model's confidence can be believed, measured on images that it did not learn from."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.acceptance import Acceptance, measure_acceptance
from trainer.datasets import Dataset
from trainer.evaluation import Evaluation
from trainer.inference import Classifier
from trainer.splits import split_for
from trainer.temperature import Probabilities, fit_temperature, with_temperature
from trainer.training import Trained

BINS = 15


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
    reliabilities are then those of the other half, and so is what can be accepted.
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
        temperature = fit_temperature(held_out, split.validation_labels)
        return _measured(temperature, "validation split", len(held_out), evaluation.probabilities, evaluation.labels)
    half = np.random.default_rng(trained.parameters.seed).permutation(len(evaluation.labels))
    fitting, measuring = np.array_split(half, 2)
    temperature = fit_temperature(evaluation.probabilities[fitting], evaluation.labels[fitting])
    return _measured(
        temperature,
        "half of the test images",
        len(fitting),
        evaluation.probabilities[measuring],
        evaluation.labels[measuring],
    )


def reliability(probabilities: Probabilities, labels: npt.NDArray[Any]) -> Reliability:
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


def _measured(
    temperature: float, fitted_on: str, images: int, probabilities: Probabilities, labels: npt.NDArray[Any]
) -> Calibration:
    calibrated = with_temperature(probabilities, temperature)
    return Calibration(
        temperature,
        fitted_on,
        images,
        before=reliability(probabilities, labels),
        after=reliability(calibrated, labels),
        acceptance=measure_acceptance(calibrated.max(axis=1), calibrated.argmax(axis=1) == labels),
    )
