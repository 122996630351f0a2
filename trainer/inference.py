"""Classifies normalised images in batches, with one model or with several together."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from trainer.datasets import DIGITS
from trainer.errors import ClassesDiffer
from trainer.idx import Bytes
from trainer.temperature import Probabilities, with_temperature

# In bulk; larger ones are no faster.
BATCH = 512


class Classifier:
    """A model ready to classify.

    Args:
        model: takes (n, 28, 28) float in 0–1 and gives (n, classes) of non-negative scores.
        class_names: one for each output.
        temperature: what calibrates the model's confidence; 1 leaves it as it is.
        batch: how many images are classified at a time. The last batch is padded to it, so that the net is compiled for
            one shape only.
    """

    def __init__(
        self, model: keras.Model, class_names: Sequence[str] = DIGITS, temperature: float = 1.0, batch: int = BATCH
    ) -> None:
        self.class_names = tuple(class_names)
        self._model = model
        self._temperature = temperature
        self._batch = batch

    @classmethod
    def load(
        cls, path: Path, class_names: Sequence[str] = DIGITS, temperature: float = 1.0, batch: int = BATCH
    ) -> "Classifier":
        """The classifier in a `.keras` file."""
        return cls(keras.models.load_model(path, compile=False, safe_mode=True), class_names, temperature, batch)

    def classify(self, images: Bytes) -> Probabilities:
        """The probability of each class for each image.

        Args:
            images: (n, 28, 28) uint8, light ink on dark; n may be 0.

        Returns:
            (n, classes) float32; each row sums to 1, also for nets whose outputs do not.
        """
        scores = np.empty((len(images), self._model.output_shape[-1]), np.float32)
        padded = np.zeros((self._batch, 28, 28), np.float32)
        for start in range(0, len(images), self._batch):
            batch = images[start : start + self._batch]
            np.divide(batch, 255, out=padded[: len(batch)], dtype=np.float32)
            scores[start : start + self._batch] = self._model.predict_on_batch(padded)[: len(batch)]
        probabilities = normalised(scores)
        return probabilities if self._temperature == 1 else with_temperature(probabilities, self._temperature)


class Ensemble:
    """Several classifiers that answer together: the mean of their calibrated probabilities.

    Raises:
        ClassesDiffer: they do not know the same classes.
    """

    def __init__(self, members: Sequence[Classifier]) -> None:
        first, *others = members
        for other in others:
            if other.class_names != first.class_names:
                raise ClassesDiffer(
                    "Models that answer together must know the same classes: one knows "
                    f"{', '.join(first.class_names)}, another {', '.join(other.class_names)}."
                )
        self.class_names = first.class_names
        self._members = tuple(members)

    def classify(self, images: Bytes) -> Probabilities:
        """As `Classifier.classify`."""
        answers = [member.classify(images) for member in self._members]
        return answers[0] if len(answers) == 1 else np.mean(answers, axis=0, dtype=np.float32)


def normalised(scores: Probabilities) -> Probabilities:
    """Scores as probabilities, p / sum(p); a row of zeros becomes uniform."""
    totals = scores.sum(axis=1, keepdims=True)
    probabilities = np.full_like(scores, 1 / scores.shape[1])
    np.divide(scores, totals, out=probabilities, where=totals > 0)
    return probabilities
