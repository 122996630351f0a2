"""Training: what Keras would do, reproducibly, and stoppable at any moment."""

import weakref

import keras
import numpy as np
import pytest

from trainer.datasets import Dataset
from trainer.epochs import Epochs, metrics_of
from trainer.errors import TrainingDiverged
from trainer.evaluation import evaluate
from trainer.networks import build_model
from trainer.parameters import TrainingParameters
from trainer.recipes import RECIPES, get_recipe
from trainer.training import Progress, Trained, train


class Cancelled(Exception):
    """Raised from `on_progress`, as a worker does to stop."""


@pytest.mark.parametrize("name", RECIPES)
def test_each_recipe_learns(name: str, digits: Dataset) -> None:
    trained = train(TrainingParameters(recipe=name, epochs=3), digits)

    losses = [result.loss for result in trained.history]
    assert [result.epoch for result in trained.history] == [1, 2, 3]
    assert losses == sorted(losses, reverse=True)
    assert evaluate(trained.model, digits.test_images, digits.test_labels).accuracy > 0.7


@pytest.mark.parametrize("name", RECIPES)
def test_only_a_recipe_with_validation_is_validated(name: str, digits: Dataset) -> None:
    (result,) = train(TrainingParameters(recipe=name, epochs=1), digits).history

    if RECIPES[name].validation == "test":
        assert result.val_accuracy is not None
        assert result.val_loss is not None
    else:
        assert (result.val_accuracy, result.val_loss) == (None, None)


def test_validation_is_what_keras_evaluates(digits: Dataset) -> None:
    trained = train(TrainingParameters(recipe="dropout-128", epochs=1), digits)
    (result,) = trained.history

    keras_says = trained.model.evaluate(
        digits.test_images / 255.0, digits.test_labels, verbose=0, return_dict=True, batch_size=32
    )

    assert result.val_loss == pytest.approx(keras_says["loss"], rel=1e-5)
    assert result.val_accuracy == pytest.approx(keras_says["accuracy"])


@pytest.mark.parametrize("name", ["sigmoid-100", "rmsprop-512", "dense-128-64"])
def test_an_epoch_is_the_one_that_keras_fit_runs(name: str, digits: Dataset) -> None:
    """With the same weights and order of images; 2,000 images leave a partial last batch."""
    recipe = get_recipe(name)
    one_hot = recipe.loss == "categorical_crossentropy"
    images, labels = digits.train_images, digits.train_labels
    fitted, ours = build_model(recipe, seed=5), build_model(recipe, seed=5)

    target = keras.utils.to_categorical(labels) if one_hot else labels
    keras_says = fitted.fit(images / 255.0, target, batch_size=96, shuffle=False, verbose=0).history
    epoch = Epochs(ours, images, labels, batch_size=96, one_hot=one_hot)
    for _ in epoch.train(np.arange(len(images), dtype=np.int32)):
        pass

    assert metrics_of(ours)["loss"] == pytest.approx(keras_says["loss"][0], rel=1e-4)
    assert metrics_of(ours)["accuracy"] == pytest.approx(keras_says["accuracy"][0], abs=1e-3)
    for mine, theirs in zip(ours.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_an_epoch_of_the_dense_net_is_keras_s_to_the_last_digits(digits: Dataset) -> None:
    """At the recipe's own batch size only the rounding of float32 is between them."""
    recipe = get_recipe("dense-128-64")
    fitted, ours = build_model(recipe, seed=5), build_model(recipe, seed=5)

    scaled = digits.train_images.astype(np.float32) / 255
    fitted.fit(scaled, digits.train_labels, batch_size=32, shuffle=False, verbose=0)
    run_in_order(ours, digits, batch_size=32)

    for mine, theirs in zip(ours.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


def test_what_is_left_for_the_last_batch_is_trained_on(digits: Dataset) -> None:
    """33 images in batches of 32: a second step, of one image."""
    alone, both = (build_model(get_recipe("dense-128-64"), seed=5) for _ in range(2))

    steps_of_32 = run_in_order(alone, digits.head(train=32, test=0), batch_size=32)
    steps_of_33 = run_in_order(both, digits.head(train=33, test=0), batch_size=32)

    assert (steps_of_32, steps_of_33) == ([1], [2])
    assert int(both.optimizer.iterations) == 2
    assert any((one != two).any() for one, two in zip(alone.get_weights(), both.get_weights(), strict=True))


def test_images_are_shuffled(digits: Dataset) -> None:
    parameters = TrainingParameters(recipe="dense-128-64", epochs=1, seed=5)
    in_order = build_model(get_recipe("dense-128-64"), seed=5)
    run_in_order(in_order, digits, batch_size=32)

    shuffled = train(parameters, digits).model

    first_layers = (model.get_weights()[0] for model in (shuffled, in_order))
    assert np.abs(np.subtract(*first_layers)).max() > 1e-3, "far more than rounding makes"


def test_the_same_seed_gives_the_same_weights_bit_for_bit(digits: Dataset) -> None:
    parameters = TrainingParameters(recipe="dropout-128-32", epochs=2, seed=7)

    assert weights(train(parameters, digits)) == weights(train(parameters, digits))


def test_another_seed_gives_other_weights(digits: Dataset) -> None:
    one, two = (train(TrainingParameters(recipe="sigmoid-100", epochs=1, seed=seed), digits) for seed in (1, 2))

    assert weights(one) != weights(two)


def test_progress_goes_from_the_first_step_to_the_last(mnist: Dataset) -> None:
    seen: list[Progress] = []
    few = mnist.head(train=10_000, test=100)

    train(TrainingParameters(recipe="dropout-128", epochs=2), few, on_progress=seen.append)

    assert [(p.epoch, p.step) for p in seen] == sorted((p.epoch, p.step) for p in seen)
    assert {p.steps for p in seen} == {313}
    assert {p.epochs for p in seen} == {2}
    assert [len(p.history) for p in seen] == sorted(len(p.history) for p in seen)
    assert (seen[-1].epoch, seen[-1].step, len(seen[-1].history)) == (2, 313, 2)


@pytest.mark.parametrize("batch_size", [1, 32, 8192])
def test_progress_is_told_several_times_an_epoch_whatever_the_batch(batch_size: int, mnist: Dataset) -> None:
    """Between two calls lie few images and few steps, so that a cancel is quick."""
    few = mnist.head(train=20_000 if batch_size > 1 else 1000, test=100)
    steps: list[int] = [0]

    train(
        TrainingParameters(recipe="sigmoid-100", epochs=1, batch_size=batch_size),
        few,
        on_progress=lambda progress: steps.append(progress.step),
    )

    assert max(np.diff(steps)) <= 256
    assert max(np.diff(steps)) * batch_size <= max(4096, batch_size)


def test_what_progress_raises_stops_the_training_at_once(mnist: Dataset) -> None:
    calls: list[Progress] = []

    def cancel_at_the_second_call(progress: Progress) -> None:
        calls.append(progress)
        if len(calls) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        train(TrainingParameters(recipe="dropout-128"), mnist, on_progress=cancel_at_the_second_call)

    assert len(calls) == 2
    assert calls[-1].epoch == 1


def test_a_loss_that_explodes_is_named_with_what_to_try(digits: Dataset) -> None:
    """The bounds of the learning rate keep this rare, so it is set behind their back."""
    parameters = TrainingParameters(recipe="dense-128-64").model_copy(update={"learning_rate": 1e30})

    with pytest.raises(TrainingDiverged, match=r"epoch 1\b.*learning rate below 1e\+30"):
        train(parameters, digits)


def test_a_training_s_images_are_let_go_when_it_ends(digits: Dataset) -> None:
    """A worker trains again and again; what a compiled function captured would stay for ever."""
    model = build_model(get_recipe("dropout-128"), seed=1)
    engine = Epochs(model, digits.train_images, digits.train_labels, batch_size=32, one_hot=False)
    for _ in engine.train(np.arange(2000, dtype=np.int32)):
        pass

    images = weakref.ref(engine._images)
    del engine

    assert images() is None, "the model, which outlives the training, does not hold the images"


def test_full_size_training_reaches_the_accuracy_of_the_source(mnist: Dataset) -> None:
    trained = train(TrainingParameters(recipe="dropout-128", epochs=3), mnist)

    assert evaluate(trained.model, mnist.test_images, mnist.test_labels).accuracy >= 0.965


def run_in_order(model: keras.Model, dataset: Dataset, *, batch_size: int) -> list[int]:
    """One epoch over the images as they lie; returns the steps that were told."""
    engine = Epochs(model, dataset.train_images, dataset.train_labels, batch_size=batch_size, one_hot=False)
    return list(engine.train(np.arange(len(dataset.train_images), dtype=np.int32)))


def weights(trained: Trained) -> list[bytes]:
    return [array.tobytes() for array in trained.model.get_weights()]
