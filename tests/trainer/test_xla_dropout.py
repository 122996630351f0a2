"""The dropout that XLA compiles well: Keras' own in all but the generator."""

from collections.abc import Callable

import keras
import numpy as np
import numpy.typing as npt
import pytest

from tests.trainer.trainings import run_in_order
from trainer.datasets import Dataset
from trainer.networks import build_model
from trainer.plans import Plan

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow's engine", allow_module_level=True)

import tensorflow as tf

from trainer.engines.tensorflow import TensorFlowEngine, XlaDropout

ONES = np.ones((200, 500), np.float32)


def compiled(layer: XlaDropout) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
    """The layer in training, as XLA compiles it."""
    drop = tf.function(lambda values: layer(values, training=True), jit_compile=True)
    return lambda values: drop(tf.constant(values)).numpy()


@pytest.fixture
def original() -> keras.layers.Dropout:
    return keras.layers.Dropout(0.3, seed=1)


def test_the_declared_share_is_dropped_and_the_rest_scaled(original: keras.layers.Dropout) -> None:
    """0.3 of 100,000, whose standard deviation is 0.00145."""
    result = compiled(XlaDropout(original))(ONES)

    assert (result == 0).mean() == pytest.approx(0.3, abs=0.006)
    np.testing.assert_allclose(result[result != 0], 1 / 0.7, rtol=1e-6)


def test_each_call_drops_others(original: keras.layers.Dropout) -> None:
    drop = compiled(XlaDropout(original))

    first, second = (drop(ONES) == 0 for _ in range(2))

    assert (first & second).mean() == pytest.approx(0.09, abs=0.005), "as by chance"


def test_nothing_is_dropped_where_there_is_no_training(original: keras.layers.Dropout) -> None:
    layer = XlaDropout(original)

    assert (layer(ONES, training=False) == ONES).numpy().all()
    assert (layer(ONES) == ONES).numpy().all()


def test_the_random_state_is_that_of_the_layer_it_stands_for(original: keras.layers.Dropout) -> None:
    drop = compiled(XlaDropout(original))
    begin = original.seed_generator.state.numpy()

    first = drop(ONES)
    moved = original.seed_generator.state.numpy()
    second = drop(ONES)
    original.seed_generator.state.assign(begin)
    again = drop(ONES)

    assert (begin != moved).any()
    assert (first == again).all()
    assert (first != second).any()


def test_what_is_trained_in_the_model_s_place_has_the_model_s_variables(whole_batches: Dataset) -> None:
    plan = Plan(units=(16, 8), dropout=0.3, batch_normalisation=True)
    model = build_model(plan, classes=10, seed=5, steps=10)
    engine = TensorFlowEngine(model, whole_batches.train_images[:320], whole_batches.train_labels[:320], batch_size=32)
    twin = engine._trained
    seeds = [layer.seed_generator.state for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    before = [seed.numpy() for seed in seeds]

    run_in_order(engine, 320)

    assert twin is not model
    assert twin.optimizer is model.optimizer
    assert all(mine is theirs for mine, theirs in zip(model.weights, twin.weights, strict=True))
    assert [type(layer) for layer in twin.layers if layer.name.startswith("dropout")] == [XlaDropout] * 2
    assert [type(layer) for layer in model.layers if layer.name.startswith("dropout")] == [keras.layers.Dropout] * 2
    assert len(seeds) == 2
    assert all((seed.numpy() != was).any() for seed, was in zip(seeds, before, strict=True))


def test_a_net_of_convolutions_is_left_as_it_is_on_processors(whole_batches: Dataset) -> None:
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("on a GPU XLA compiles convolutions as well")
    model = build_model(Plan(filters=(3,), dropout=0.3), classes=10, seed=5, steps=10)

    engine = TensorFlowEngine(model, whole_batches.train_images[:32], whole_batches.train_labels[:32], batch_size=32)

    assert engine._trained is model
