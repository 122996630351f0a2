"""How good a model is on labelled images."""

from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes
from trainer.inference import Classifier
from trainer.networks import on_logits, takes_one_hot
from trainer.temperature import Probabilities

TEST_BATCH = 1000


@dataclass(frozen=True)
class Evaluation:
    """A model's answers to n labelled images.

    `labels` (n,) and `predicted` (n,) are class indices, `probabilities` (n, classes) float32 in 0–1, and
    `confusion` (classes, classes) counts images by true class (row) and predicted class (column). `loss` is in
    nats; for sigmoid outputs it is not the cross-entropy of p / sum(p): see `trainer.networks.on_logits`.
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
        """Precision, recall and F1 of each class, and how many images it has; 0 where undefined."""
        right = self.confusion.diagonal()
        precision = _ratio(right, self.confusion.sum(axis=0))
        recall = _ratio(right, self.confusion.sum(axis=1))
        f1 = _ratio(2 * precision * recall, precision + recall)
        return [
            {"precision": float(p), "recall": float(r), "f1": float(f), "images": int(n)}
            for p, r, f, n in zip(precision, recall, f1, self.confusion.sum(axis=1), strict=True)
        ]

    def worst_mistakes(self, most: int) -> npt.NDArray[np.int64]:
        """Indices of the images that were classified wrongly with the greatest confidence, worst first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        confidence = self.probabilities.max(axis=1)[wrong]
        return wrong[np.argsort(-confidence, kind="stable")][:most]


def evaluate(model: keras.Model, images: Bytes, labels: Bytes) -> Evaluation:
    """Classify (n, 28, 28) uint8 images with a compiled model and compare with their (n,) class indices."""
    probabilities = Classifier(model).classify(images)
    truth = labels.astype(np.int64)
    predicted = probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    with on_logits(model):
        loss = test_in_batches(model, images, labels)["loss"]
    return Evaluation(truth, predicted, probabilities, confusion, loss)


def test_in_batches(model: keras.Model, images: Bytes, labels: Bytes) -> dict[str, float]:
    """Keras' `loss` and `accuracy` on (n, 28, 28) uint8 images; takes the memory of a batch, however many there are."""
    one_hot, classes = takes_one_hot(model), model.output_shape[-1]
    model.reset_metrics()
    metrics: dict[str, float] = {}
    for start in range(0, len(images), TEST_BATCH):
        batch = slice(start, start + TEST_BATCH)
        target = keras.utils.to_categorical(labels[batch], classes) if one_hot else labels[batch]
        metrics = model.test_on_batch(images[batch].astype(np.float32) / 255, target, return_dict=True)
    return {name: float(value) for name, value in metrics.items()}


def _ratio(part: npt.NDArray[np.generic], whole: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    ratio = np.zeros(len(part))
    np.divide(part, whole, out=ratio, where=whole != 0)
    return ratio
