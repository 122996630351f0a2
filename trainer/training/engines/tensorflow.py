"""Training on TensorFlow: many of Keras' own train steps in one compiled loop.

Keras' `fit` runs Python code for each batch, which takes several times as long as the batch itself on a small network.
Here the images stay on the device as uint8, batches are gathered by index, and Python runs once in thousands of images.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tenfold.trainer.architecture.networks import has_convolutions, takes_one_hot
from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.input_spec import DIGIT, InputSpec
from tenfold.trainer.training.augmentation import Floats, distort
from tenfold.trainer.training.engines.engine import TEST_BATCH, Distortions, Engine


class TensorFlowEngine(Engine):
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
        self._images, self._labels = tf.constant(spec.oriented(images)), tf.constant(labels)
        self._weights = None if weights is None else tf.constant(weights)
        self._compiled = acquire(model, spec)

    def close(self) -> None:
        release(self._compiled)

    def train(self, order: npt.NDArray[np.int32], distortions: Distortions | None = None) -> Iterator[int]:
        self._compiled.load_state(self.model)
        parts = (order, *distortions) if distortions else (order,)
        for start, stop in self.calls():
            batches = [tf.constant(part) for part in self.batches(parts, start, stop)]
            self._compiled.train(self._images, self._labels, self._weights, batches)
            if stop == self.steps:
                self._compiled.store_state(self.model)
            yield stop

    def metrics(self) -> dict[str, float]:
        return self._compiled.metrics()

    def test(self, images: Bytes, labels: Labels) -> dict[str, float]:
        self._compiled.load_state(self.model)
        images = self.spec.oriented(images)
        for start in range(0, len(images), TEST_BATCH):
            stop = start + TEST_BATCH
            self._compiled.test(tf.constant(images[start:stop]), tf.constant(labels[start:stop]))
        return self._compiled.metrics()


MAX_IDLE_NETWORKS = 8

_idle: OrderedDict[str, "CompiledNetwork"] = OrderedDict()


def acquire(model: keras.Model, spec: InputSpec = DIGIT) -> "CompiledNetwork":
    """A compiled network of the same architecture as the model, for exclusive use until it is released.

    Networks are reused because compiling one of dense layers takes 2 s of CPU time, as long as two or three epochs, and
    XLA keeps 10 MB of each until the process ends.
    """
    architecture = _architecture_of(model, spec)
    return _idle.pop(architecture, None) or CompiledNetwork(model, architecture, spec)


def release(network: "CompiledNetwork") -> None:
    """Keep the network for the next training; the one idle for the longest time may be dropped."""
    _idle[network.architecture] = network
    if len(_idle) > MAX_IDLE_NETWORKS:
        _idle.popitem(last=False)


class CompiledNetwork:
    """A copy of the model with its own variables, and compiled loops over its train and test steps.

    Dense layers are compiled by XLA; on CPUs TensorFlow's own convolutions are faster than XLA's.

    The loops take the images as arguments: a compiled function would keep captured images in memory.

    Args:
        architecture: all that the compiled code depends on; models with the same one differ only in variables' values.
        spec: the model's input, for the scaling.
    """

    def __init__(self, model: keras.Model, architecture: str, spec: InputSpec) -> None:
        self.architecture = architecture
        self._spec = spec
        self._classes = int(model.output_shape[-1])
        self._one_hot = takes_one_hot(model)
        xla = bool(tf.config.list_logical_devices("GPU")) or not has_convolutions(model)
        self._network = _copy(model, xla)
        self.train: Callable[..., None] = tf.function(self._train, jit_compile=xla)
        self.test: Callable[..., None] = tf.function(self._test, reduce_retracing=True)

    def load_state(self, model: keras.Model) -> None:
        """Copy weights, optimizer state and dropout's random state from the model, and reset the metrics."""
        _assign(self._network, model)
        self._network.reset_metrics()

    def store_state(self, model: keras.Model) -> None:
        """Copy the state back to the model."""
        _assign(model, self._network)

    def metrics(self) -> dict[str, float]:
        return {name: float(value) for name, value in self._network.get_metrics_result().items()}

    def _train(self, images: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor | None, batches: list[tf.Tensor]) -> None:
        for step in tf.range(batches[0].shape[0]):
            order, *distortions = (part[step] for part in batches)
            x = self._scaled(tf.gather(images, order))
            if distortions:
                x = distort(x, *distortions, outside=self._spec.scaled(0.0))
            target = self._target(tf.gather(labels, order))
            self._network.train_step((x, target) if weights is None else (x, target, tf.gather(weights, order)))

    def _test(self, images: tf.Tensor, labels: tf.Tensor) -> None:
        self._network.test_step((self._scaled(images), self._target(labels)))

    def _scaled(self, images: tf.Tensor) -> tf.Tensor:
        return self._spec.scaled(tf.cast(images, tf.float32))

    def _target(self, labels: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(labels, self._classes) if self._one_hot else labels


def _architecture_of(model: keras.Model, spec: InputSpec) -> str:
    optimizer = model.optimizer.get_config()
    del optimizer["name"]  # Keras numbers them
    if isinstance(optimizer.get("learning_rate"), float):
        del optimizer["learning_rate"]  # a variable, while a schedule is compiled
    loss = model.loss if isinstance(model.loss, str) else keras.losses.serialize(model.loss)
    return json.dumps(
        [model.get_config(), type(model.optimizer).__name__, optimizer, loss, spec.scaling], sort_keys=True
    )


def _copy(model: keras.Model, xla: bool) -> keras.Model:
    def copied(layer: keras.Layer) -> keras.Layer:
        kind = XlaDropout if xla and isinstance(layer, keras.layers.Dropout) else type(layer)
        return kind.from_config(layer.get_config())

    network = keras.models.clone_model(model, clone_function=copied)
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    network.compile(optimizer=optimizer, loss=model.loss, metrics=["accuracy"])
    optimizer.build(network.trainable_variables)
    _skip_gradient_reduction(optimizer)
    return network


def _skip_gradient_reduction(optimizer: keras.Optimizer) -> None:
    """Replace Keras' sum of gradients over replicas, of which there is one here.

    For this sum TensorFlow registers a gradient function for every compiled network, and with it keeps the network's
    graph until the process ends. Keras has no public way to leave it out.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = list


def _assign(target: keras.Model, source: keras.Model) -> None:
    for to, of in zip(_state(target), _state(source), strict=True):
        to.assign(of)


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


class XlaDropout(keras.layers.Dropout):
    """Keras' dropout with an explicit generator: XLA's default one is 200 times slower.

    Its random state is one number that advances by a fixed step.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, seed=seed, rng_alg="threefry")
