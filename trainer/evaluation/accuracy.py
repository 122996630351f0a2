"""Evaluates a model on labeled images."""

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from tenfold.trainer.architecture.networks import on_logits
from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.serving.inference import Classifier, Probabilities, log
from tenfold.trainer.training.engines.engine import evaluate_in_batches


@dataclass(frozen=True)
class Evaluation:
    """A model's answers to n labeled images.

    `labels` (n,) and `predicted` (n,) are class indices, `probabilities` (n, classes) float32 in 0–1, and
    `confusion` (classes, classes) counts images by true class (row) and predicted class (column). `loss` is in nats;
    for sigmoid outputs it is computed from their logits: see `trainer.architecture.networks.on_logits`.
    """

    labels: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    probabilities: Probabilities
    confusion: npt.NDArray[np.int64]
    loss: float

    @property
    def accuracy(self) -> float:
        return float(np.mean(self.predicted == self.labels))

    def per_class(self) -> list[dict[str, float]]:
        """Precision, recall, F1 and image count of each class; 0 if undefined."""
        right = self.confusion.diagonal()
        precision = _ratio(right, self.confusion.sum(axis=0))
        recall = _ratio(right, self.confusion.sum(axis=1))
        f1 = _ratio(2 * precision * recall, precision + recall)
        return [
            {"precision": float(p), "recall": float(r), "f1": float(f), "images": int(n)}
            for p, r, f, n in zip(precision, recall, f1, self.confusion.sum(axis=1), strict=True)
        ]

    def scores(self) -> dict[str, float]:
        """Figures that do not depend on how many images a class has, and proper scores of the probabilities.

        `macro_f1` and `balanced_accuracy` (0–1) are the means of F1 and recall over the classes that have images;
        `nll` (nats) is the mean negative log-likelihood of the true class, `brier` (0–2) the mean squared distance of
        the probabilities from it (Brier, "Verification of forecasts expressed in terms of probability", 1950).
        """
        present = [figures for figures in self.per_class() if figures["images"]]
        true = self.probabilities[np.arange(len(self.labels)), self.labels].astype(np.float64)
        squares = np.square(self.probabilities, dtype=np.float64).sum(axis=1)
        return {
            "macro_f1": float(np.mean([figures["f1"] for figures in present])),
            "balanced_accuracy": float(np.mean([figures["recall"] for figures in present])),
            "nll": float(-log(true).mean()),
            "brier": float((squares - 2 * true + 1).mean()),
        }

    def worst_mistakes(self, count: int) -> npt.NDArray[np.int64]:
        """Indices of the misclassified images with the highest confidence, worst first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        confidence = self.probabilities.max(axis=1)[wrong]
        return wrong[np.argsort(-confidence, kind="stable")][:count]


def evaluate(model: keras.Model, images: Bytes, labels: Labels, spec: InputSpec = DIGIT) -> Evaluation:
    """Classify (n, *spec.shape) uint8 images with a compiled model and compare with their (n,) true class indices."""
    probabilities = Classifier(model, spec=spec).classify(images)
    with on_logits(model):
        loss = evaluate_in_batches(model, images, labels, spec)["loss"]
    return evaluation_of(probabilities, labels, loss)


def evaluation_of(probabilities: Probabilities, labels: Labels, loss: float | None = None) -> Evaluation:
    """Compare (n, classes) answers with their (n,) true class indices; the loss is by default that of the answers."""
    truth = labels.astype(np.int64)
    predicted = probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    if loss is None:
        loss = float(-log(probabilities[np.arange(len(truth)), truth].astype(np.float64)).mean())
    return Evaluation(truth, predicted, probabilities, confusion, loss)


def _ratio(part: npt.NDArray[np.generic], whole: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    ratio = np.zeros(len(part))
    np.divide(part, whole, out=ratio, where=whole != 0)
    return ratio
