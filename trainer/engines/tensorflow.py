"""Training on TensorFlow: Keras' own train step, many at a time inside one compiled loop.

Keras' `fit` pays for each batch in Python: several times what the batch itself costs on a small net. Here the images
stay uint8 on the device, a batch is gathered by index, and Python is met once in some thousands of images.
"""

from collections.abc import Iterator

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.engines.compiled_net import borrow, give_back
from trainer.engines.engine import Distortions, Engine
from trainer.evaluation import TEST_BATCH
from trainer.idx import Bytes


class TensorFlowEngine(Engine):
    def __init__(self, model: keras.Model, images: Bytes, labels: Bytes, *, batch_size: int) -> None:
        super().__init__(model, images, labels, batch_size=batch_size)
        self._images, self._labels = tf.constant(images), tf.constant(labels)
        self._compiled = borrow(model)

    def close(self) -> None:
        give_back(self._compiled)

    def train(self, order: npt.NDArray[np.int32], distortions: Distortions | None = None) -> Iterator[int]:
        self._compiled.become(self.model)
        parts = (order, *distortions) if distortions else (order,)
        for start, stop in self.calls():
            self._compiled.train(
                self._images, self._labels, [tf.constant(part) for part in self.batches(parts, start, stop)]
            )
            if stop == self.steps:
                self._compiled.pass_on_to(self.model)
            yield stop

    def metrics(self) -> dict[str, float]:
        return self._compiled.metrics()

    def test(self, images: Bytes, labels: Bytes) -> dict[str, float]:
        self._compiled.become(self.model)
        for start in range(0, len(images), TEST_BATCH):
            stop = start + TEST_BATCH
            self._compiled.test(tf.constant(images[start:stop]), tf.constant(labels[start:stop]))
        return self._compiled.metrics()
