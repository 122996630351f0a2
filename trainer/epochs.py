"""Runs a Keras model's own train and test steps many at a time inside one compiled TensorFlow loop.

Keras' `fit` pays for each batch in Python: about ten times what the batch itself costs on small nets. Here the
images stay uint8 on the device, a batch is gathered by index, and Python is met once in some thousands of images.
"""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.idx import Bytes
from trainer.recipes import CLASSES

# Images between two returns to Python: some 40 ms of work, so that progress is smooth and a cancel quick.
IMAGES_PER_CALL = 4096

# A step has a cost of its own: with tiny batches this many keep a call well under 0.3 s.
MOST_STEPS_PER_CALL = 256

# Metrics are means over images, so that the batch size of an evaluation only affects its speed.
TEST_BATCH = 1000


class Epochs:
    """Trains and tests one compiled model on fixed images.

    Args:
        model: compiled, with its optimizer built.
        images: (n, 28, 28) uint8.
        labels: (n,) class indices.
        batch_size: the last batch of an epoch holds what is left, as in Keras.
        one_hot: whether the model's loss takes one-hot labels.
    """

    def __init__(self, model: keras.Model, images: Bytes, labels: Bytes, *, batch_size: int, one_hot: bool) -> None:
        self._model = model
        self._batch_size = batch_size
        self._images = tf.constant(images)
        self._labels = tf.constant(labels)
        self.steps = -(-len(images) // batch_size)
        self._train_steps = _train_steps(model, batch_size, one_hot)
        self._test_step = _test_step(model, one_hot)

    def train(self, order: npt.NDArray[np.int32]) -> Iterator[int]:
        """One epoch over the images in this order; yields the number of steps done now and then.

        The model's metrics hold the epoch's running values.
        """
        self._model.reset_metrics()
        on_device = tf.constant(order)
        stride = min(max(1, IMAGES_PER_CALL // self._batch_size), MOST_STEPS_PER_CALL)
        for start in range(0, self.steps, stride):
            stop = min(start + stride, self.steps)
            self._train_steps(self._images, self._labels, on_device, tf.constant(start), tf.constant(stop))
            yield stop

    def test(self, images: Bytes, labels: Bytes) -> dict[str, float]:
        """The model's metrics on other images."""
        self._model.reset_metrics()
        for start in range(0, len(images), TEST_BATCH):
            stop = start + TEST_BATCH
            self._test_step(tf.constant(images[start:stop]), tf.constant(labels[start:stop]))
        return metrics_of(self._model)


def metrics_of(model: keras.Model) -> dict[str, float]:
    """The current values of a compiled model's metrics: `loss` and `accuracy`."""
    return {name: float(value) for name, value in model.get_metrics_result().items()}


# What these compile takes the images as an argument and knows nothing of `Epochs`: a compiled function holds on
# to what it captures, and a worker that trains again and again would keep each training's images.


def _train_steps(model: keras.Model, batch_size: int, one_hot: bool) -> Callable[..., None]:
    def run(images: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> None:
        for step in tf.range(start, stop):
            batch = order[step * batch_size : (step + 1) * batch_size]
            model.train_step((_scaled(tf.gather(images, batch)), _target(tf.gather(labels, batch), one_hot)))

    compiled: Callable[..., None] = tf.function(run)
    return compiled


def _test_step(model: keras.Model, one_hot: bool) -> Callable[..., None]:
    def run(images: tf.Tensor, labels: tf.Tensor) -> None:
        model.test_step((_scaled(images), _target(labels, one_hot)))

    compiled: Callable[..., None] = tf.function(run, reduce_retracing=True)
    return compiled


def _target(labels: tf.Tensor, one_hot: bool) -> tf.Tensor:
    return tf.one_hot(labels, CLASSES) if one_hot else labels


def _scaled(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0
