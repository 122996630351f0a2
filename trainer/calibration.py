"""How far a model's confidence can be believed, and the temperature that mends it.

After Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017: one temperature divides
the logarithms of all probabilities; which class is likeliest stays as it was.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.datasets import Dataset
from trainer.evaluation import Evaluation
from trainer.inference import Classifier, Probabilities
from trainer.splits import split_for
from trainer.training import Trained

BINS = 15

# 1 / temperature is searched between these; beyond them a model knows nothing, or everything.
LEAST_SHARPNESS, MOST_SHARPNESS = 0.01, 100.0
HALVINGS = 60

# Keras clips probabilities at this before it takes logarithms.
EPSILON = 1e-7


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
    reliabilities are then those of the other half.
    """

    temperature: float
    fitted_on: str
    images: int
    before: Reliability
    after: Reliability

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


def fit_temperature(probabilities: Probabilities, labels: npt.NDArray[Any]) -> float:
    """The temperature that makes these (n, classes) probabilities likeliest for these (n,) class indices.

    The log-likelihood is concave in 1 / temperature, so that halving the interval in which its slope changes sign
    finds the one best.
    """
    logs = np.log(np.clip(probabilities.astype(np.float64), EPSILON, 1))
    truth = logs[np.arange(len(labels)), labels].mean() if len(labels) else 0.0
    least, most = LEAST_SHARPNESS, MOST_SHARPNESS
    for _ in range(HALVINGS):
        sharpness = (least * most) ** 0.5
        expected = (_softmax(logs * sharpness) * logs).sum(axis=1).mean() if len(labels) else 0.0
        least, most = (sharpness, most) if truth > expected else (least, sharpness)
    return float(1 / (least * most) ** 0.5) if len(labels) else 1.0


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """(n, classes) probabilities, calibrated: float32, each row sums to 1."""
    logs = np.log(np.clip(probabilities, EPSILON, 1))
    return _softmax(logs / temperature).astype(np.float32)


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
    after = reliability(with_temperature(probabilities, temperature), labels)
    return Calibration(temperature, fitted_on, images, reliability(probabilities, labels), after)


def _softmax(logs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
