"""Classifies normalized images in batches, with one model or an ensemble."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import DIGITS
from tenfold.trainer.errors import ClassesDiffer
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.serving.onnx_network import OnnxNetwork

Probabilities = npt.NDArray[np.float32]

# For bulk classification; larger batches are no faster.
BATCH = 512

# Keras clips probabilities at this before it takes logarithms.
EPSILON = 1e-7


class Classifier:
    """A loaded model.

    Args:
        model: takes (n, *network_shape) float32, scaled as `spec` says, and returns (n, classes) non-negative scores.
        class_names: one for each output.
        temperature: calibrates the model's confidence; 1 changes nothing.
        batch: images classified at a time. The last batch is padded, so that the network is compiled for one shape.
        spec: the model's input.
    """

    def __init__(
        self,
        model: keras.Model | OnnxNetwork,
        class_names: Sequence[str] = DIGITS,
        temperature: float = 1.0,
        batch: int = BATCH,
        spec: InputSpec = DIGIT,
    ) -> None:
        self.class_names = tuple(class_names)
        self.spec = spec
        self._model = model
        self._temperature = temperature
        self._batch = batch

    @classmethod
    def load(
        cls,
        path: Path,
        class_names: Sequence[str] = DIGITS,
        temperature: float = 1.0,
        batch: int = BATCH,
        spec: InputSpec = DIGIT,
    ) -> "Classifier":
        """Load a `.keras` file, or the `.onnx` file of an imported model."""
        model = OnnxNetwork(path) if path.suffix == ".onnx" else load_keras(path)
        return cls(model, class_names, temperature, batch, spec)

    def called_with(self, spec: InputSpec) -> "Classifier":
        """The same network, called with another scaling or orientation."""
        return Classifier(self._model, self.class_names, self._temperature, self._batch, spec)

    def classify(self, images: Bytes) -> Probabilities:
        """The probability of each class for each image.

        Args:
            images: (n, *spec.shape) uint8, upright; n may be 0.

        Returns:
            (n, classes) float32; each row sums to 1, even if the network's outputs do not.
        """
        scores = np.empty((len(images), self._model.output_shape[-1]), np.float32)
        padded = np.zeros((self._batch, *self.spec.network_shape), np.float32)
        for start in range(0, len(images), self._batch):
            batch = self.spec.oriented(images[start : start + self._batch])
            padded[: len(batch)] = self.spec.scaled(batch.astype(np.float32))
            scores[start : start + self._batch] = self._model.predict_on_batch(padded)[: len(batch)]
        probabilities = normalized(scores)
        return probabilities if self._temperature == 1 else with_temperature(probabilities, self._temperature)


def network_file(directory: Path) -> Path:
    """The file in a model's directory that is served: `model.keras`, or `model.onnx` of a model imported as such."""
    keras_file = directory / "model.keras"
    return keras_file if keras_file.exists() else directory / "model.onnx"


class Ensemble:
    """Several classifiers that answer together: the mean of their calibrated probabilities.

    Raises:
        ClassesDiffer: they do not have the same classes.

    `spec` is the first one's input: the others take images of the same shape.
    """

    def __init__(self, members: Sequence[Classifier]) -> None:
        first, *others = members
        for other in others:
            if other.class_names != first.class_names:
                raise ClassesDiffer(
                    "The models of an ensemble must have the same classes: one has "
                    f"{', '.join(first.class_names)}, another {', '.join(other.class_names)}."
                )
        self.class_names = first.class_names
        self.spec = first.spec
        self._members = tuple(members)

    def classify(self, images: Bytes) -> Probabilities:
        """As `Classifier.classify`."""
        answers = [member.classify(images) for member in self._members]
        return answers[0] if len(answers) == 1 else np.mean(answers, axis=0, dtype=np.float32)


def load_keras(path: Path) -> keras.Model:
    return keras.models.load_model(path, compile=False, safe_mode=True)


def normalized(scores: Probabilities) -> Probabilities:
    """Scores (n, classes) as probabilities, p / sum(p); a row of zeros becomes uniform."""
    totals = scores.sum(axis=1, keepdims=True)
    probabilities = np.full_like(scores, 1 / scores.shape[1])
    np.divide(scores, totals, out=probabilities, where=totals > 0)
    return probabilities


def with_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Calibrated (n, classes) float32 probabilities; each row sums to 1."""
    return softmax(log(probabilities) / np.float32(temperature)).astype(np.float32)


def log(probabilities: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(np.log(np.clip(probabilities, EPSILON, 1)))


def softmax(logs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
