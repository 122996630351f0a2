"""The dropout that XLA compiles well: Keras' own in all but the generator."""

from collections.abc import Callable

import keras
import numpy as np
import numpy.typing as npt
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow's engine", allow_module_level=True)

import tensorflow as tf

from tenfold.trainer.training.engines.tensorflow import XlaDropout

ONES = np.ones((200, 500), np.float32)


def compiled(layer: XlaDropout) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
    """The layer in training, as XLA compiles it."""
    drop = tf.function(lambda values: layer(values, training=True), jit_compile=True)
    return lambda values: drop(tf.constant(values)).numpy()


@pytest.fixture
def layer() -> XlaDropout:
    return XlaDropout(0.3, seed=1)


def test_the_declared_share_is_dropped_and_the_rest_scaled(layer: XlaDropout) -> None:
    """0.3 of 100,000, whose standard deviation is 0.00145."""
    result = compiled(layer)(ONES)

    assert (result == 0).mean() == pytest.approx(0.3, abs=0.006)
    np.testing.assert_allclose(result[result != 0], 1 / 0.7, rtol=1e-6)


def test_each_call_drops_others(layer: XlaDropout) -> None:
    drop = compiled(layer)

    first, second = (drop(ONES) == 0 for _ in range(2))

    assert (first & second).mean() == pytest.approx(0.09, abs=0.005), "as by chance"


def test_nothing_is_dropped_where_there_is_no_training(layer: XlaDropout) -> None:
    assert (layer(ONES, training=False) == ONES).numpy().all()
    assert (layer(ONES) == ONES).numpy().all()


def test_its_random_state_says_what_is_dropped_next(layer: XlaDropout) -> None:
    drop = compiled(layer)
    begin = layer.seed_generator.state.numpy()

    first = drop(ONES)
    moved = layer.seed_generator.state.numpy()
    second = drop(ONES)
    layer.seed_generator.state.assign(begin)
    again = drop(ONES)

    assert (begin != moved).any()
    assert (first == again).all()
    assert (first != second).any()
