"""Training on TensorFlow: Keras' own train step, many at a time inside one compiled loop.

Keras' `fit` pays for each batch in Python: several times what the batch itself costs on a small net. Here the images
stay uint8 on the device, a batch is gathered by index, and Python is met once in some thousands of images. On nets of
dense layers XLA compiles the loop; TensorFlow's own convolutions are faster than XLA's on processors.
"""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer.augmentation import distort
from trainer.engines.engine import TEST_BATCH, Distortions, Engine
from trainer.idx import Bytes
from trainer.networks import has_convolutions


class TensorFlowEngine(Engine):
    def __init__(self, model: keras.Model, images: Bytes, labels: Bytes, *, batch_size: int) -> None:
        super().__init__(model, images, labels, batch_size=batch_size)
        self._images, self._labels = tf.constant(images), tf.constant(labels)
        _sum_over_no_replicas(model.optimizer)
        xla = bool(tf.config.list_logical_devices("GPU")) or not has_convolutions(model)
        self._trained = _for_xla(model) if xla else model
        self._run = _compile_steps(self._trained, self.classes, self.one_hot, xla)
        self._test = _compile_test(model, self.classes, self.one_hot)

    def train(self, order: npt.NDArray[np.int32], distortions: Distortions | None = None) -> Iterator[int]:
        self._trained.reset_metrics()
        parts = (order, *distortions) if distortions else (order,)
        for start, stop in self.calls():
            self._run(self._images, self._labels, [tf.constant(part) for part in self.batches(parts, start, stop)])
            yield stop

    def metrics(self) -> dict[str, float]:
        return _metrics_of(self._trained)

    def test(self, images: Bytes, labels: Bytes) -> dict[str, float]:
        self.model.reset_metrics()
        for start in range(0, len(images), TEST_BATCH):
            stop = start + TEST_BATCH
            self._test(tf.constant(images[start:stop]), tf.constant(labels[start:stop]))
        return _metrics_of(self.model)


class XlaDropout(keras.layers.Dropout):
    """Keras' dropout for compiling by XLA: the generator that XLA takes when left to choose is 200 times slower.

    Shares the random state of the layer that it stands for, so that a checkpoint of the model has it.
    """

    def __init__(self, original: keras.layers.Dropout) -> None:
        super().__init__(original.rate, noise_shape=original.noise_shape, name=original.name)
        self._draw_seed = original.seed_generator.next

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        seed = tf.cast(self._draw_seed(), tf.int32)
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed=seed, rng_alg="threefry")


def _for_xla(model: keras.Model) -> keras.Model:
    """The same model, of the same variables and optimizer, whose dropout XLA compiles well."""

    def replaced(layer: keras.Layer) -> keras.Layer:
        return XlaDropout(layer) if isinstance(layer, keras.layers.Dropout) else layer

    twin = keras.models.clone_model(model, clone_function=replaced)
    twin.compile(optimizer=model.optimizer, loss=model.loss, metrics=["accuracy"])
    return twin


def _sum_over_no_replicas(optimizer: keras.Optimizer) -> None:
    """Keras sums gradients over the replicas of a distribution, of which there is one here. TensorFlow would register a
    gradient for this sum in every net that is trained, and with it keep the net's graph for as long as the process
    lives."""
    alone = getattr(optimizer, "inner_optimizer", optimizer)
    alone._all_reduce_sum_gradients = list


def _metrics_of(model: keras.Model) -> dict[str, float]:
    return {name: float(value) for name, value in model.get_metrics_result().items()}


# What these compile takes the images as an argument and knows nothing of the engine: a compiled function holds on
# to what it captures, and a worker that trains again and again would keep each training's images.


def _compile_steps(model: keras.Model, classes: int, one_hot: bool, xla: bool) -> Callable[..., None]:
    def run(images: tf.Tensor, labels: tf.Tensor, batches: list[tf.Tensor]) -> None:
        for step in tf.range(batches[0].shape[0]):
            order, *distortions = (part[step] for part in batches)
            x = _scaled(tf.gather(images, order))
            if distortions:
                x = distort(x, *distortions)
            model.train_step((x, _target(tf.gather(labels, order), classes, one_hot)))

    compiled: Callable[..., None] = tf.function(run, jit_compile=xla)
    return compiled


def _compile_test(model: keras.Model, classes: int, one_hot: bool) -> Callable[..., None]:
    def run(images: tf.Tensor, labels: tf.Tensor) -> None:
        model.test_step((_scaled(images), _target(labels, classes, one_hot)))

    compiled: Callable[..., None] = tf.function(run, reduce_retracing=True)
    return compiled


def _target(labels: tf.Tensor, classes: int, one_hot: bool) -> tf.Tensor:
    return tf.one_hot(labels, classes) if one_hot else labels


def _scaled(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0
