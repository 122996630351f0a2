"""Running an epoch: what Keras' own `fit` would do, whichever engine runs it."""

import gc
import weakref
from collections.abc import Callable

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model, has_convolutions
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.training.augmentation import draw_distortions
from tenfold.trainer.training.engines import Engine, make_engine
from tenfold.trainer.training.engines.engine import (
    IMAGES_PER_CALL,
    IMAGES_PER_CALL_WITH_CONVOLUTIONS,
    MAX_STEPS_PER_CALL,
)
from tenfold.trainer.training.engines.stepwise import StepwiseEngine
from tests.trainer.trainings import CLASS_WEIGHT, arrays, image_weights, run_in_order, scaled

PLANS = {
    "rmsprop, one-hot": Plan(units=(32,), optimizer="rmsprop", loss="categorical_crossentropy"),
    "label smoothing": Plan(units=(), label_smoothing=0.1),
    "convolutions": Plan(filters=(4,), units=(16,), batch_normalization=True, optimizer="sgd", learning_rate=0.01),
}

# Compiled in a moment; on TensorFlow the second one by XLA.
SMALLEST = Plan(filters=(2,), units=())
LINEAR = Plan(units=())


def build(plan: Plan) -> keras.Model:
    return build_model(plan, classes=10, seed=5, steps=100)


@pytest.mark.parametrize(
    ("name", "batch_size", "steps"),
    [("rmsprop, one-hot", 96, 11), ("label smoothing", 100, 10), ("convolutions", 96, 11)],
)
def test_an_epoch_is_the_one_that_keras_fit_runs(
    name: str, batch_size: int, steps: int, whole_batches: Dataset
) -> None:
    """With the same weights and order of images; batches of 96 leave 40 of 1,000 images for the last one."""
    plan = PLANS[name]
    few = whole_batches.head(train=1000, test=0)
    fitted, ours = build(plan), build(plan)

    target = keras.utils.to_categorical(few.train_labels, 10) if plan.one_hot else few.train_labels
    keras_says = fitted.fit(scaled(few), target, batch_size=batch_size, shuffle=False, verbose=0).history
    engine = make_engine(ours, few.train_images, few.train_labels, batch_size=batch_size)
    told = run_in_order(engine, 1000)

    assert told[-1] == engine.steps == int(ours.optimizer.iterations) == steps
    assert engine.metrics()["loss"] == pytest.approx(keras_says["loss"][0], rel=1e-4)
    assert engine.metrics()["accuracy"] == pytest.approx(keras_says["accuracy"][0], abs=1e-3)
    for mine, theirs in zip(ours.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize("engine", [make_engine, StepwiseEngine], ids=["compiled", "stepwise"])
@pytest.mark.parametrize("plan", [SMALLEST, SMALLEST.model_copy(update={"label_smoothing": 0.1})], ids=["", "one-hot"])
def test_an_epoch_with_class_weights_is_the_one_that_keras_fit_runs(
    plan: Plan, engine: Callable[..., Engine], whole_batches: Dataset
) -> None:
    """The mean over the batch, not over its weights; accuracy and validation are not weighted."""
    few = whole_batches.head(train=1000, test=100)
    fitted, ours = build(plan), build(plan)

    target = keras.utils.to_categorical(few.train_labels, 10) if plan.one_hot else few.train_labels
    keras_says = fitted.fit(
        scaled(few), target, batch_size=96, shuffle=False, verbose=0, class_weight=CLASS_WEIGHT
    ).history
    weights = image_weights(few, CLASS_WEIGHT)
    trained_by = engine(ours, few.train_images, few.train_labels, batch_size=96, weights=weights)
    run_in_order(trained_by, 1000)

    assert trained_by.metrics()["loss"] == pytest.approx(keras_says["loss"][0], rel=1e-4)
    assert trained_by.metrics()["accuracy"] == pytest.approx(keras_says["accuracy"][0], abs=1e-3)
    for mine, theirs in zip(ours.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)
    test_target = keras.utils.to_categorical(few.test_labels, 10) if plan.one_hot else few.test_labels
    says = ours.evaluate(few.test_images / 255.0, test_target, verbose=0, return_dict=True)
    assert trained_by.test(few.test_images, few.test_labels) == pytest.approx(says, rel=1e-3)


def test_an_epoch_of_the_dense_net_is_keras_s_to_the_last_digits(whole_batches: Dataset) -> None:
    """At the recipe's own batch size only the rounding of float32 is between them."""
    fitted, ours = (build(Plan(units=(128, 64))) for _ in range(2))

    fitted.fit(scaled(whole_batches), whole_batches.train_labels, batch_size=32, shuffle=False, verbose=0)
    run_in_order(make_engine(ours, whole_batches.train_images, whole_batches.train_labels, batch_size=32), 2048)

    for mine, theirs in zip(ours.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), [("rmsprop, one-hot", "elastic"), ("convolutions", "none")])
def test_step_by_step_gives_the_same_weights_as_many_steps_at_a_time(
    name: str, kind: str, whole_batches: Dataset
) -> None:
    """In the same order, with the same distortions; dropout apart, which each engine draws in its own way."""
    few = whole_batches.head(train=320, test=100)
    order = np.random.default_rng(2).permutation(320).astype(np.int32)
    distortions = None if kind == "none" else draw_distortions(kind, 320, np.random.default_rng(3))
    alone, many = build(PLANS[name]), build(PLANS[name])
    stepwise = StepwiseEngine(alone, few.train_images, few.train_labels, batch_size=32)
    engine = make_engine(many, few.train_images, few.train_labels, batch_size=32)

    told = list(stepwise.train(order, distortions)), list(engine.train(order, distortions))

    assert told == ([10], [10])
    assert stepwise.metrics() == pytest.approx(engine.metrics(), rel=1e-3)
    for one, other in zip(alone.get_weights(), many.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    validation = (few.test_images, few.test_labels)
    assert stepwise.test(*validation) == pytest.approx(engine.test(*validation), rel=1e-3)


def test_metrics_are_those_of_one_epoch_whatever_was_tested_before(whole_batches: Dataset) -> None:
    few = whole_batches.head(train=320, test=100)
    model = build(LINEAR.model_copy(update={"learning_rate": 1e-12}))
    engine = make_engine(model, few.train_images, few.train_labels, batch_size=32)
    seen = []

    for _ in range(2):
        run_in_order(engine, 320)
        seen.append(engine.metrics())
        engine.test(few.test_images, few.test_labels)

    assert seen[0] == pytest.approx(seen[1], rel=1e-5)
    keras_says = model.evaluate(scaled(few), few.train_labels, verbose=0, return_dict=True)
    assert seen[0] == pytest.approx(keras_says, rel=1e-5)


@pytest.mark.parametrize("kind", [make_engine, StepwiseEngine], ids=["compiled", "stepwise"])
def test_a_test_is_what_keras_evaluates(kind: Callable[..., Engine], whole_batches: Dataset, mnist: Dataset) -> None:
    """1,500 images: a whole batch of a test and half of one."""
    model = build(PLANS["label smoothing"])
    engine = kind(model, whole_batches.train_images, whole_batches.train_labels, batch_size=32)
    images, labels = mnist.test_images[:1500], mnist.test_labels[:1500]

    measured = engine.test(images, labels)

    target = keras.utils.to_categorical(labels, 10)
    assert measured == pytest.approx(model.evaluate(images / 255.0, target, verbose=0, return_dict=True), rel=1e-5)


def test_what_is_left_for_the_last_batch_is_trained_on(whole_batches: Dataset) -> None:
    """33 images in batches of 32: a second step, of one image."""
    alone, both = (build(SMALLEST) for _ in range(2))
    images, labels = whole_batches.train_images, whole_batches.train_labels

    steps_of_32 = run_in_order(make_engine(alone, images[:32], labels[:32], batch_size=32), 32)
    steps_of_33 = run_in_order(make_engine(both, images[:33], labels[:33], batch_size=32), 33)

    assert (steps_of_32, steps_of_33) == ([1], [1, 2])
    assert int(both.optimizer.iterations) == 2
    assert arrays(alone) != arrays(both)


def test_fewer_images_than_a_batch_are_one_step(whole_batches: Dataset) -> None:
    engine = make_engine(build(SMALLEST), whole_batches.train_images[:5], whole_batches.train_labels[:5], batch_size=32)

    assert run_in_order(engine, 5) == [1]
    assert 1 < engine.metrics()["loss"] < 4


@pytest.fixture(scope="module", params=[LINEAR, SMALLEST], ids=["dense", "convolutions"])
def untrained(request: pytest.FixtureRequest) -> keras.Model:
    return build(request.param)


@pytest.mark.parametrize("images", [1, 31, 32, 33, 2048, 60_000])
@pytest.mark.parametrize("batch_size", [1, 32, 100, 8192])
def test_calls_take_each_step_once_and_few_at_a_time(images: int, batch_size: int, untrained: keras.Model) -> None:
    """Between two calls lie few images and few steps, so that a cancel is quick; most calls are of one length."""
    engine = StepwiseEngine(
        untrained, np.zeros((images, 28, 28), np.uint8), np.zeros(images, np.uint8), batch_size=batch_size
    )
    most = IMAGES_PER_CALL_WITH_CONVOLUTIONS if has_convolutions(untrained) else IMAGES_PER_CALL

    calls = list(engine.calls())

    assert [step for start, stop in calls for step in range(start, stop)] == list(range(engine.steps))
    assert engine.steps == int(np.ceil(images / batch_size))
    lengths = [stop - start for start, stop in calls]
    assert max(lengths) <= MAX_STEPS_PER_CALL
    assert max(lengths) * batch_size <= max(most, batch_size)
    assert len(set(lengths[:-2])) <= 1
    batches = [batch for start, stop in calls for batch in engine.batches([np.arange(images)], start, stop)]
    assert np.concatenate([batch.ravel() for batch in batches]).tolist() == list(range(images))
    assert all(len(batch) == length for batch, length in zip(batches, lengths, strict=True))


def test_classes_that_no_label_names_are_one_hot_all_the_same(whole_batches: Dataset) -> None:
    model = build_model(SMALLEST.model_copy(update={"loss": "categorical_crossentropy"}), classes=30, seed=1, steps=10)
    engine = make_engine(model, whole_batches.train_images[:64], whole_batches.train_labels[:64], batch_size=32)

    run_in_order(engine, 64)

    assert engine.metrics()["loss"] == pytest.approx(np.log(30), rel=0.2), "a guess among thirty"


def test_a_training_s_images_are_let_go_when_it_ends(whole_batches: Dataset) -> None:
    """A worker trains again and again; what a compiled function captured would stay for ever."""
    model = build(LINEAR)
    engine = make_engine(model, whole_batches.train_images, whole_batches.train_labels, batch_size=32)
    run_in_order(engine, 2048)

    images = weakref.ref(engine._images)  # type: ignore[attr-defined]
    del engine
    gc.collect()

    assert images() is None, "the model, which outlives the training, does not hold the images"


def test_a_training_s_graph_is_let_go_when_it_ends(whole_batches: Dataset) -> None:
    """TensorFlow keeps the graph of whatever is given a gradient of its own, as Keras' sum over replicas is."""

    def train() -> None:
        engine = make_engine(build(LINEAR), whole_batches.train_images, whole_batches.train_labels, batch_size=32)
        run_in_order(engine, 64)

    def graphs() -> int:
        gc.collect()
        return sum(type(found).__name__ == "FuncGraph" for found in gc.get_objects())

    train()
    before = graphs()
    train()

    assert graphs() == before
