"""A plan's net in Keras: its layers, its optimizer, its schedule and its loss."""

from collections.abc import Iterator
from itertools import zip_longest

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model, takes_one_hot
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset
from tests.trainer.strategies import CHOICES
from tests.trainer.trainings import arrays

# Each optimizer, each schedule and each activation at least once.
EACH_CHOICE = list(zip_longest(CHOICES["activation"], CHOICES["optimizer"], CHOICES["schedule"]))

OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "nadam": "Nadam", "rmsprop": "RMSprop", "sgd": "SGD"}


def build(plan: Plan, *, classes: int = 10, seed: int = 1, steps: int = 100) -> keras.Model:
    return build_model(plan, classes=classes, seed=seed, steps=steps)


@pytest.mark.parametrize(("activation", "optimizer", "schedule"), EACH_CHOICE)
def test_each_activation_optimizer_and_schedule_trains_a_step(
    activation: str, optimizer: str | None, schedule: str | None, digits: Dataset
) -> None:
    """The same images a few times over are learned by each of them."""
    choices = {"optimizer": optimizer or "adam", "schedule": schedule or "constant", "learning_rate": 0.005}
    model = build(Plan(units=(32,), activation=activation, **choices))
    model.run_eagerly = True
    images, labels = digits.train_images[:32].astype(np.float32) / 255, digits.train_labels[:32]

    losses = [model.train_on_batch(images, labels, return_dict=True)["loss"] for _ in range(6)]

    assert model.get_layer("hidden_1").activation.__name__ == activation
    assert type(model.optimizer).__name__ == OPTIMIZERS[choices["optimizer"]]
    assert losses[-1] < losses[0]


def test_the_layers_are_blocks_of_convolutions_and_then_the_dense_ones() -> None:
    model = build(Plan(filters=(3, 5), convolutions=2, units=(7, 6), dropout=0.3, activation="gelu"), classes=4)

    assert [(layer.name, layer.output.shape[1:]) for layer in model.layers] == [
        ("channel", (28, 28, 1)),
        *(("conv_1_1", (28, 28, 3)), ("conv_1_2", (28, 28, 3)), ("pool_1", (14, 14, 3))),
        *(("conv_2_1", (14, 14, 5)), ("conv_2_2", (14, 14, 5)), ("pool_2", (7, 7, 5))),
        *(("flatten", (245,)), ("hidden_1", (7,)), ("dropout_1", (7,)), ("hidden_2", (6,)), ("dropout_2", (6,))),
        ("output", (4,)),
    ]
    assert {model.get_layer(name).rate for name in ("dropout_1", "dropout_2")} == {0.3}
    assert {model.get_layer(name).activation.__name__ for name in ("conv_2_2", "hidden_2")} == {"gelu"}


def test_batch_normalization_comes_before_the_activation_of_every_hidden_layer() -> None:
    model = build(Plan(filters=(3,), units=(7,), batch_normalization=True))

    assert [layer.name for layer in model.layers] == [
        *("channel", "conv_1_1", "conv_1_1_normalized", "conv_1_1_relu", "pool_1"),
        *("flatten", "hidden_1", "hidden_1_normalized", "hidden_1_relu", "output"),
    ]
    assert {model.get_layer(name).activation.__name__ for name in ("conv_1_1", "hidden_1")} == {"linear"}


def test_a_plan_without_hidden_layers_is_a_linear_classifier() -> None:
    assert [layer.name for layer in build(Plan(units=())).layers] == ["flatten", "output"]


def test_outputs_are_as_many_as_the_classes_and_activated_as_the_plan_says(digits: Dataset) -> None:
    images = digits.test_images[:20] / 255.0
    softmax, sigmoid = (build(Plan(output_activation=kind), classes=3) for kind in ("softmax", "sigmoid"))

    shares, scores = (model.predict(images, verbose=0) for model in (softmax, sigmoid))

    assert shares.shape == scores.shape == (20, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert np.abs(scores.sum(axis=1) - 1).min() > 0.1


def test_sgd_has_a_nesterov_momentum() -> None:
    optimizer = build(Plan(optimizer="sgd", learning_rate=0.3)).optimizer

    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)
    assert float(optimizer.learning_rate) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("constant", [0.4, 0.4, 0.4]), ("cosine", [0.4, 0.2, 0.0]), ("exponential", [0.4, 0.04, 0.004])],
)
def test_the_learning_rate_falls_over_the_training_as_the_schedule_says(schedule: str, rates: list[float]) -> None:
    """At its begin, in its middle and at its end."""
    optimizer = build(Plan(schedule=schedule, learning_rate=0.4), steps=200).optimizer

    seen = []
    for step in (0, 100, 200):
        optimizer.iterations.assign(step)
        seen.append(float(optimizer.learning_rate))

    assert seen == pytest.approx(rates, abs=1e-6)


@pytest.mark.parametrize(
    ("plan", "one_hot"),
    [
        (Plan(), False),
        (Plan(loss="categorical_crossentropy"), True),
        (Plan(label_smoothing=0.1), True),
        (Plan(label_smoothing=0.1, loss="categorical_crossentropy"), True),
    ],
    ids=["sparse", "categorical", "smoothed", "smoothed categorical"],
)
def test_the_loss_tells_whether_it_takes_one_hot_labels(plan: Plan, one_hot: bool) -> None:
    assert plan.one_hot is one_hot
    assert takes_one_hot(build(plan)) is one_hot


def test_label_smoothing_spreads_its_share_over_all_classes(digits: Dataset) -> None:
    images, labels = digits.test_images[:50] / 255.0, digits.test_labels[:50]
    model = build(Plan(label_smoothing=0.2))
    logs = np.log(model.predict(images, verbose=0))

    loss, _ = model.evaluate(images, keras.utils.to_categorical(labels, 10), verbose=0)

    target = np.eye(10)[labels] * 0.8 + 0.2 / 10
    assert loss == pytest.approx(-(target * logs).sum(axis=1).mean(), rel=1e-5)


def test_the_seed_decides_the_weights() -> None:
    plan = Plan(filters=(3,), units=(7,))

    assert arrays(build(plan, seed=5)) == arrays(build(plan, seed=5))
    assert arrays(build(plan, seed=5)) != arrays(build(plan, seed=6))


def test_a_model_is_named_after_its_recipe() -> None:
    assert build_model(Plan(), classes=10, seed=1, steps=1, name="dense-128-64").name == "dense_128_64"


@pytest.fixture
def half_precision() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


def test_scores_and_weights_are_exact_where_the_net_computes_in_less(half_precision: None) -> None:
    model = build(Plan(filters=(3,), units=(7,), batch_normalization=True))

    assert model.get_layer("hidden_1").compute_dtype == "bfloat16"
    assert model.get_layer("output").compute_dtype == "float32"
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
