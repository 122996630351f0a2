"""Training: reproducible, stoppable at any moment, and as good as its sources."""

import re
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.errors import TrainingDiverged
from tenfold.trainer.evaluation.accuracy import evaluate
from tenfold.trainer.training.engines import make_engine
from tenfold.trainer.training.loop import Progress, Trained, train
from tests.trainer.trainings import SMALL, figures, run_in_order, weights


class Cancelled(Exception):
    """Raised from `on_progress`, as a worker does to stop."""


@pytest.fixture(scope="module")
def augmented(whole_batches: Dataset) -> Trained:
    """The recipe that has everything: two epochs of 1,024 images. The others are trained elsewhere."""
    return train(TrainingParameters(recipe="cnn-augmented", epochs=2), whole_batches.head(train=1024, test=500))


def test_a_recipe_learns(augmented: Trained) -> None:
    first, second = augmented.history

    assert [first.epoch, second.epoch] == [1, 2]
    assert second.loss < first.loss
    assert second.accuracy > first.accuracy
    assert augmented.plan == RECIPES["cnn-augmented"].plan.model_copy(update={"epochs": 2})
    assert augmented.parameters == TrainingParameters(recipe="cnn-augmented", epochs=2).resolved()
    assert augmented.best_epoch == 2


def test_a_recipe_without_validation_is_not_validated(augmented: Trained) -> None:
    assert {(result.val_loss, result.val_accuracy) for result in augmented.history} == {(None, None)}


def test_validation_is_what_keras_evaluates(with_dropout: Trained, whole_batches: Dataset) -> None:
    result = with_dropout.history[-1]

    keras_says = with_dropout.model.evaluate(
        whole_batches.test_images / 255.0, whole_batches.test_labels, verbose=0, return_dict=True, batch_size=32
    )

    assert result.val_loss == pytest.approx(keras_says["loss"], rel=1e-5)
    assert result.val_accuracy == pytest.approx(keras_says["accuracy"])


def test_images_are_shuffled(whole_batches: Dataset) -> None:
    parameters = TrainingParameters(**SMALL, epochs=1, seed=5)
    in_order = build_model(Plan(**SMALL), classes=10, seed=5, steps=64)
    run_in_order(make_engine(in_order, whole_batches.train_images, whole_batches.train_labels, batch_size=32), 2048)

    shuffled = train(parameters, whole_batches).model

    first_layers = (model.get_weights()[0] for model in (shuffled, in_order))
    assert np.abs(np.subtract(*first_layers)).max() > 1e-3, "far more than rounding makes"


def test_the_same_seed_gives_the_same_weights_bit_for_bit(whole_batches: Dataset) -> None:
    """Whatever was drawn in between. How dense layers do is seen where a training is interrupted."""
    parameters = TrainingParameters(
        filters="3", units="8", dropout=0.2, augmentation="affine", epochs=2, validation="split", seed=7
    )
    few = whole_batches.head(train=640, test=10)
    first = train(parameters, few)
    keras.utils.set_random_seed(99)

    again = train(parameters, few)

    assert weights(again) == weights(first)
    assert figures(again) == figures(first)


def test_another_seed_gives_other_weights(whole_batches: Dataset) -> None:
    few = whole_batches.head(train=64, test=10)

    one, two = (train(TrainingParameters(**SMALL, epochs=1, seed=seed), few) for seed in (1, 2))

    assert weights(one) != weights(two)


def test_the_schedule_ends_where_the_training_does(whole_batches: Dataset) -> None:
    """1,000 images, of which 100 are held out, are 29 steps of at most 32 an epoch."""
    few = whole_batches.head(train=1000, test=10)
    parameters = TrainingParameters(**SMALL, schedule="cosine", learning_rate=0.01, epochs=2, validation="split")

    optimizer = train(parameters, few).model.optimizer

    assert int(optimizer.iterations) == 2 * 29
    assert float(optimizer.learning_rate) == pytest.approx(0, abs=1e-8)


def test_progress_goes_from_the_first_step_to_the_last(mnist: Dataset) -> None:
    seen: list[Progress] = []
    few = mnist.head(train=10_000, test=100)

    train(TrainingParameters(**SMALL, epochs=2), few, on_progress=seen.append)

    assert [(p.epoch, p.step) for p in seen] == sorted((p.epoch, p.step) for p in seen)
    assert {p.steps for p in seen} == {313}
    assert {p.epochs for p in seen} == {2}
    assert [len(p.history) for p in seen] == sorted(len(p.history) for p in seen)
    assert (seen[-1].epoch, seen[-1].step, len(seen[-1].history)) == (2, 313, 2)
    within = [p for p in seen if 0 < p.step < p.steps]
    assert len(within) >= 4, "told several times an epoch"
    assert all(0 < p.accuracy < 1 and 0 < p.loss < 3 for p in seen)


def test_what_progress_raises_stops_the_training_at_once(mnist: Dataset) -> None:
    calls: list[Progress] = []

    def cancel_at_the_second_call(progress: Progress) -> None:
        calls.append(progress)
        if len(calls) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        train(TrainingParameters(**SMALL), mnist, on_progress=cancel_at_the_second_call)

    assert len(calls) == 2
    assert calls[-1].epoch == 1


def test_a_loss_that_explodes_is_named_with_what_to_try(whole_batches: Dataset) -> None:
    """The bounds of the learning rate keep this rare, so it is set behind their back."""
    with pytest.raises(TrainingDiverged, match=r"epoch 1\b.*learning rate below 1e\+30"):
        train(BeyondTheBounds(**SMALL), whole_batches)


class BeyondTheBounds(TrainingParameters):
    def plan(self) -> Plan:
        return super().plan().model_copy(update={"learning_rate": 1e30})


@pytest.fixture
def half_precision() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


def test_a_net_that_computes_in_half_precision_learns_too(half_precision: None, whole_batches: Dataset) -> None:
    parameters = TrainingParameters(units=(32,), dropout=0.1, learning_rate=0.01, epochs=2)

    trained = train(parameters, whole_batches)

    assert trained.model.get_layer("hidden_1").compute_dtype == "float16"
    assert evaluate(trained.model, whole_batches.test_images, whole_batches.test_labels).accuracy > 0.6


def test_full_size_training_reaches_the_accuracy_of_the_source(mnist: Dataset) -> None:
    trained = train(TrainingParameters(recipe="dropout-128", epochs=3), mnist)

    assert evaluate(trained.model, mnist.test_images, mnist.test_labels).accuracy >= 0.965


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one_and_nothing_else(
    whole_batches: Dataset, tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint.npz"
    kept.mkdir()  # which no file can be renamed onto

    with pytest.raises(OSError, match=re.escape(str(kept))):
        train(
            TrainingParameters(recipe="dropout-128", epochs=1), whole_batches.head(train=512, test=100), checkpoint=kept
        )

    assert list(tmp_path.iterdir()) == [kept]
