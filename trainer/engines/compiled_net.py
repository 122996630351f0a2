"""Nets whose steps TensorFlow has compiled, lent from one training to the next that differs in its numbers only.

Compiling a net of dense layers takes as long as training it for two or three epochs, and XLA keeps what it has compiled
for as long as the process lives: some 10 MB.
"""

import json
from collections import OrderedDict
from collections.abc import Callable

import keras
import tensorflow as tf

from trainer.augmentation import distort
from trainer.engines.xla_dropout import XlaDropout
from trainer.networks import has_convolutions, takes_one_hot

NETS_KEPT = 8

_idle: OrderedDict[str, "CompiledNet"] = OrderedDict()


def borrow(model: keras.Model) -> "CompiledNet":
    """A compiled net of the model's make, which nobody else has until it is given back."""
    make = _make_of(model)
    return _idle.pop(make, None) or CompiledNet(model, make)


def give_back(net: "CompiledNet") -> None:
    _idle[net.make] = net
    if len(_idle) > NETS_KEPT:
        _idle.popitem(last=False)


class CompiledNet:
    """A net like the model, with variables of its own, and compiled loops over its train and test steps.

    XLA compiles the training of dense layers; of convolutions TensorFlow's own are faster than XLA's on processors.

    The loops take the images as arguments: a compiled function holds on to what it captures, and a worker that trains
    again and again would keep each training's images.

    Args:
        make: what the compiled code depends on; two models of one make differ in the values of variables only.
    """

    def __init__(self, model: keras.Model, make: str) -> None:
        self.make = make
        self._classes = int(model.output_shape[-1])
        self._one_hot = takes_one_hot(model)
        xla = bool(tf.config.list_logical_devices("GPU")) or not has_convolutions(model)
        self._net = _copy(model, xla)
        self.train: Callable[..., None] = tf.function(self._train, jit_compile=xla)
        self.test: Callable[..., None] = tf.function(self._test, reduce_retracing=True)

    def become(self, model: keras.Model) -> None:
        """Take over the model's weights, optimizer's state and dropout's random state, and forget the metrics."""
        _assign(self._net, model)
        self._net.reset_metrics()

    def pass_on_to(self, model: keras.Model) -> None:
        """Give the model what `become` took from it, as it is now."""
        _assign(model, self._net)

    def metrics(self) -> dict[str, float]:
        return {name: float(value) for name, value in self._net.get_metrics_result().items()}

    def _train(self, images: tf.Tensor, labels: tf.Tensor, batches: list[tf.Tensor]) -> None:
        for step in tf.range(batches[0].shape[0]):
            order, *distortions = (part[step] for part in batches)
            x = _scaled(tf.gather(images, order))
            if distortions:
                x = distort(x, *distortions)
            self._net.train_step((x, self._target(tf.gather(labels, order))))

    def _test(self, images: tf.Tensor, labels: tf.Tensor) -> None:
        self._net.test_step((_scaled(images), self._target(labels)))

    def _target(self, labels: tf.Tensor) -> tf.Tensor:
        return tf.one_hot(labels, self._classes) if self._one_hot else labels


def _make_of(model: keras.Model) -> str:
    optimizer = model.optimizer.get_config()
    del optimizer["name"]  # Keras numbers them
    if isinstance(optimizer.get("learning_rate"), float):
        del optimizer["learning_rate"]  # a variable, while a schedule is compiled
    loss = model.loss if isinstance(model.loss, str) else keras.losses.serialize(model.loss)
    return json.dumps([model.get_config(), type(model.optimizer).__name__, optimizer, loss], sort_keys=True)


def _copy(model: keras.Model, xla: bool) -> keras.Model:
    def copied(layer: keras.Layer) -> keras.Layer:
        kind = XlaDropout if xla and isinstance(layer, keras.layers.Dropout) else type(layer)
        return kind.from_config(layer.get_config())

    net = keras.models.clone_model(model, clone_function=copied)
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    net.compile(optimizer=optimizer, loss=model.loss, metrics=["accuracy"])
    optimizer.build(net.trainable_variables)
    _sum_over_no_replicas(optimizer)
    return net


def _sum_over_no_replicas(optimizer: keras.Optimizer) -> None:
    """Keras sums gradients over the replicas of a distribution, of which there is one here. TensorFlow would register a
    gradient for this sum in every net that is compiled, and with it keep the net's graph for as long as the process
    lives."""
    alone = getattr(optimizer, "inner_optimizer", optimizer)
    alone._all_reduce_sum_gradients = list


def _assign(to: keras.Model, of: keras.Model) -> None:
    for mine, theirs in zip(_state(to), _state(of), strict=True):
        mine.assign(theirs)


def _state(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _scaled(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images, tf.float32) / 255.0
