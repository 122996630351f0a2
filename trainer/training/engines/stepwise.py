"""Training on Keras backends without an engine of their own, with `train_on_batch`."""

from collections.abc import Iterator

import keras
import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.training.augmentation import Floats, distort
from tenfold.trainer.training.engines.engine import BatchMeans, Distortions, Engine


class StepwiseEngine(Engine):
    def __init__(
        self,
        model: keras.Model,
        images: Bytes,
        labels: Labels,
        *,
        batch_size: int,
        spec: InputSpec = DIGIT,
        weights: Floats | None = None,
    ) -> None:
        super().__init__(model, images, labels, batch_size=batch_size, spec=spec, weights=weights)
        self._images, self._labels = spec.oriented(images), labels
        self._means = BatchMeans()

    def train(self, order: npt.NDArray[np.int32], distortions: Distortions | None = None) -> Iterator[int]:
        self._means = BatchMeans()
        for step in range(self.steps):
            here = slice(step * self.batch_size, (step + 1) * self.batch_size)
            images = self.spec.scaled(self._images[order[here]].astype(np.float32))
            if distortions:
                images = distort(images, *(drawn[here] for drawn in distortions), outside=self.paper)
            labels = self._labels[order[here]]
            target = keras.utils.to_categorical(labels, self.classes) if self.one_hot else labels
            weights = None if self.weights is None else self.weights[order[here]]
            self.model.reset_metrics()
            self._means.add(self.model.train_on_batch(images, target, weights, return_dict=True), len(target))
            if (step + 1) % self._stride == 0 or step + 1 == self.steps:
                yield step + 1

    def metrics(self) -> dict[str, float]:
        return self._means.result()
