"""What TensorFlow has compiled serves the next training of the same make, and leaves nothing of the last one in it."""

from collections.abc import Iterator

import keras
import pytest

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.training.engines import tensorflow
from tenfold.trainer.training.loop import train
from tests.trainer.trainings import SMALL, arrays, run_in_order, state

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow's engine", allow_module_level=True)

import tensorflow as tf

from tenfold.trainer.training.engines.tensorflow import (
    MAX_IDLE_NETWORKS,
    CompiledNetwork,
    TensorFlowEngine,
    XlaDropout,
    acquire,
    release,
)

DROPPING = Plan(units=(16, 8), dropout=0.3, batch_normalization=True)
LINEAR = Plan(units=())


def build(plan: Plan, seed: int = 5, steps: int = 10) -> keras.Model:
    return build_model(plan, classes=10, seed=seed, steps=steps)


@pytest.fixture(autouse=True)
def nothing_is_kept() -> Iterator[None]:
    tensorflow._idle.clear()
    yield
    tensorflow._idle.clear()


@pytest.fixture
def few(whole_batches: Dataset) -> Dataset:
    return whole_batches.head(train=320, test=10)


def train_once(model: keras.Model, few: Dataset) -> CompiledNetwork:
    """One epoch; what it was trained by."""
    with TensorFlowEngine(model, few.train_images, few.train_labels, batch_size=32) as engine:
        run_in_order(engine, 320)
        return engine._compiled


def traces(net: CompiledNetwork) -> int:
    return net.train.experimental_get_tracing_count()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "plan", [DROPPING, Plan(units=(), learning_rate=0.1, schedule="cosine")], ids=["drops", "cosine"]
)
def test_a_second_training_of_the_make_is_not_compiled_and_ends_as_if_it_were(plan: Plan, few: Dataset) -> None:
    alone = build(plan, seed=2)
    train_once(alone, few)
    tensorflow._idle.clear()

    first, second = build(plan, seed=1), build(plan, seed=2)
    compiled = train_once(first, few)
    traced = traces(compiled)

    assert train_once(second, few) is compiled
    assert traces(compiled) == traced
    assert state(second) == state(alone)
    assert state(first) != state(second), "and the model of the first training is left alone"


def test_rates_of_learning_share_what_is_compiled(few: Dataset) -> None:
    slow, fast = (build(LINEAR.model_copy(update={"learning_rate": rate})) for rate in (1e-9, 0.1))
    begin = arrays(slow)

    compiled = train_once(slow, few)
    assert train_once(fast, few) is compiled

    assert float(slow.optimizer.learning_rate) == pytest.approx(1e-9)
    assert float(fast.optimizer.learning_rate) == pytest.approx(0.1)
    assert arrays(fast) != begin


@pytest.mark.parametrize(
    "other",
    [
        Plan(units=(3,)),
        Plan(units=(), optimizer="sgd"),
        Plan(units=(), optimizer="adamw"),
        Plan(units=(), label_smoothing=0.1),
        Plan(units=(), loss="categorical_crossentropy"),
        Plan(units=(), schedule="cosine"),
        Plan(units=(), schedule="exponential"),
    ],
    ids=lambda plan: plan.model_dump_json(exclude_unset=True),
)
def test_nothing_else_is_shared(other: Plan) -> None:
    net = acquire(build(LINEAR))
    release(net)

    assert acquire(build(other)) is not net
    assert acquire(build(LINEAR)) is net


def test_a_schedule_of_another_length_is_another_make() -> None:
    cosine = LINEAR.model_copy(update={"schedule": "cosine"})
    release(net := acquire(build(cosine, steps=10)))

    assert acquire(build(cosine, steps=20)) is not net


def test_two_trainings_at_once_never_have_the_same_net() -> None:
    assert acquire(build(LINEAR)) is not acquire(build(LINEAR))


def test_a_training_that_is_broken_off_gives_its_net_back(whole_batches: Dataset) -> None:
    class Stopped(Exception):
        pass

    def stop(_: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        train(TrainingParameters(recipe="custom", epochs=1, **SMALL), whole_batches, on_progress=stop)

    assert len(tensorflow._idle) == 1


def test_few_nets_are_kept_the_latest() -> None:
    networks = [acquire(build(Plan(units=(units,)))) for units in range(1, MAX_IDLE_NETWORKS + 2)]
    for net in networks:
        release(net)

    assert list(tensorflow._idle.values()) == networks[1:]


def test_the_model_keeps_its_own_layers_and_gets_what_they_learned(few: Dataset) -> None:
    model = build(DROPPING)
    seeds = [layer.seed_generator.state for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    before = [seed.numpy() for seed in seeds]

    net = train_once(model, few)._network

    assert [type(layer) for layer in net.layers if layer.name.startswith("dropout")] == [XlaDropout] * 2
    assert [type(layer) for layer in model.layers if layer.name.startswith("dropout")] == [keras.layers.Dropout] * 2
    assert not {id(variable) for variable in net.variables} & {id(variable) for variable in model.variables}
    assert state(model) == state(net)
    assert len(seeds) == 2
    assert all((seed.numpy() != was).any() for seed, was in zip(seeds, before, strict=True))


def test_a_net_of_convolutions_drops_as_keras_does_on_processors() -> None:
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("on a GPU XLA compiles convolutions as well")

    net = acquire(build(Plan(filters=(3,), dropout=0.3)))._network

    assert not any(isinstance(layer, XlaDropout) for layer in net.layers)
