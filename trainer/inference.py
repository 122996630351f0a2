"""Classifies normalised images in batches."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from trainer.datasets import DIGITS
from trainer.idx import Bytes

# The last batch is padded to this, so that the net is compiled for one shape only.
BATCH = 512

Probabilities = npt.NDArray[np.float32]


class Classifier:
    """A model ready to classify.

    Args:
        model: takes (n, 28, 28) float in 0–1 and gives (n, classes) of non-negative scores.
        class_names: one for each output.
    """

    def __init__(self, model: keras.Model, class_names: Sequence[str] = DIGITS) -> None:
        self.class_names = tuple(class_names)
        self._model = model

    @classmethod
    def load(cls, path: Path, class_names: Sequence[str] = DIGITS) -> "Classifier":
        """The classifier in a `.keras` file."""
        return cls(keras.models.load_model(path, compile=False), class_names)

    def classify(self, images: Bytes) -> Probabilities:
        """The probability of each class for each image.

        Args:
            images: (n, 28, 28) uint8, light ink on dark; n may be 0.

        Returns:
            (n, classes) float32; each row sums to 1, also for nets whose outputs do not.
        """
        scores = np.empty((len(images), self._model.output_shape[-1]), np.float32)
        padded = np.zeros((BATCH, 28, 28), np.float32)
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            np.divide(batch, 255, out=padded[: len(batch)], dtype=np.float32)
            scores[start : start + BATCH] = self._model.predict_on_batch(padded)[: len(batch)]
        return normalised(scores)


def normalised(scores: Probabilities) -> Probabilities:
    """Scores as probabilities, p / sum(p); a row of zeros becomes uniform."""
    totals = scores.sum(axis=1, keepdims=True)
    probabilities = np.full_like(scores, 1 / scores.shape[1])
    np.divide(scores, totals, out=probabilities, where=totals > 0)
    return probabilities
