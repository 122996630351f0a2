"""A training that starts from a model: what it keeps of it, what it freezes, and that every engine does the same."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tenfold.trainer.architecture.networks import build_model, compile_model
from tenfold.trainer.architecture.parameters import Freeze, TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.files import DIGITS
from tenfold.trainer.errors import CannotFineTune
from tenfold.trainer.evaluation.forgetting import measure_forgetting
from tenfold.trainer.training.engines import make_engine
from tenfold.trainer.training.engines.stepwise import StepwiseEngine
from tenfold.trainer.training.finetuning import Ancestor, start_from, weights_sha256
from tenfold.trainer.training.loop import train
from tests.trainer.trainings import Killed, arrays, figures, kill_in_epoch, weights

# A bit of everything that can be frozen; `sgd` at this rate changes every weight in one step.
PLAN = Plan(filters=(4,), units=(16,), batch_normalization=True, optimizer="sgd", learning_rate=0.01)

CONVOLUTIONS = ["conv_1_1", "conv_1_1_normalized"]
ALL_BUT_HEAD = [*CONVOLUTIONS, "hidden_1", "hidden_1_normalized"]


def model_of(plan: Plan = PLAN, class_names: Sequence[str] = DIGITS) -> Ancestor:
    """Random weights, and means and variances of batch normalization that are not those that Keras begins with."""
    model = build_model(plan, classes=len(class_names), seed=3, steps=10)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([weight + 0.1 for weight in layer.get_weights()])
    about = {"recipe": "custom", "dataset": "mnist", "test_accuracy": 0.5, "class_names": list(class_names)}
    return Ancestor("ancestor", model, about)


@pytest.fixture(scope="module")
def ancestor() -> Ancestor:
    return model_of()


@pytest.fixture
def few(whole_batches: Dataset) -> Dataset:
    return whole_batches.head(train=320, test=100)


def fine_tuning(**changes: Any) -> TrainingParameters:
    return (
        TrainingParameters(from_model="ancestor")
        .started_from("ancestor", "custom", PLAN.model_dump(), known=True)
        .model_copy(update={"epochs": 2, "learning_rate": 0.01} | changes)
    )


def layer_weights(model: keras.Model, layer: str) -> list[bytes]:
    return [weight.tobytes() for weight in model.get_layer(layer).get_weights()]


@pytest.mark.parametrize(
    ("freeze", "frozen"), [("none", []), ("convolutions", CONVOLUTIONS), ("all_but_head", ALL_BUT_HEAD)]
)
def test_frozen_layers_are_bit_identical_afterwards_and_all_others_are_not(
    freeze: Freeze, frozen: list[str], ancestor: Ancestor, few: Dataset
) -> None:
    model = train(fine_tuning(freeze=freeze, epochs=1), few, ancestor=ancestor).model

    unchanged = [
        layer.name
        for layer in model.layers
        if layer.weights and layer_weights(model, layer.name) == layer_weights(ancestor.model, layer.name)
    ]
    assert unchanged == frozen


@pytest.mark.parametrize("freeze", ["convolutions", "all_but_head"])
def test_engines_agree_on_a_network_with_frozen_layers(freeze: Freeze, ancestor: Ancestor, few: Dataset) -> None:
    """Keras' own `fit`, step by step, and many steps in one compiled loop."""
    order = np.arange(320, dtype=np.int32)
    fitted, alone, many = (start_from(ancestor, DIGITS, freeze)[0] for _ in range(3))
    for model in (fitted, alone, many):
        compile_model(model, PLAN, 10)

    fitted.fit(few.train_images / 255.0, few.train_labels, batch_size=32, shuffle=False, verbose=0)
    list(StepwiseEngine(alone, few.train_images, few.train_labels, batch_size=32).train(order))
    list(make_engine(many, few.train_images, few.train_labels, batch_size=32).train(order))

    for kerass, one, other in zip(fitted.get_weights(), alone.get_weights(), many.get_weights(), strict=True):
        np.testing.assert_allclose(one, kerass, atol=1e-4)
        np.testing.assert_allclose(other, kerass, atol=1e-4)


def test_an_interrupted_fine_tuning_resumes_bit_for_bit(ancestor: Ancestor, few: Dataset, tmp_path: Path) -> None:
    parameters = fine_tuning(freeze="convolutions", optimizer="adam")
    whole = train(parameters, few, ancestor=ancestor)
    checkpoint = tmp_path / "checkpoint.npz"

    with pytest.raises(Killed):
        train(parameters, few, ancestor=ancestor, checkpoint=checkpoint, on_progress=kill_in_epoch(2))
    resumed = train(parameters, few, ancestor=ancestor, checkpoint=checkpoint)

    assert weights(resumed) == weights(whole)
    assert figures(resumed) == figures(whole)
    assert resumed.notes == whole.notes


def test_the_ancestor_is_left_as_it_was(few: Dataset) -> None:
    ancestor = model_of()
    before = arrays(ancestor.model)

    train(fine_tuning(epochs=1, freeze="convolutions"), few, ancestor=ancestor)

    assert arrays(ancestor.model) == before
    assert all(layer.trainable for layer in ancestor.model.layers)


def test_what_an_ancestor_froze_is_free_again(ancestor: Ancestor) -> None:
    frozen = replace(ancestor, model=start_from(ancestor, DIGITS, "all_but_head")[0])

    assert len(start_from(frozen, DIGITS, "none")[0].trainable_variables) == len(ancestor.model.trainable_variables)


def test_the_same_classes_give_the_same_answers(ancestor: Ancestor, few: Dataset) -> None:
    model, notes = start_from(ancestor, DIGITS, "none")

    assert arrays(model) == arrays(ancestor.model)
    assert notes == ["It started from the model ancestor."]


def test_the_same_classes_in_another_order_give_the_same_answers_in_that_order(
    ancestor: Ancestor, few: Dataset
) -> None:
    images = few.test_images[:50] / 255.0

    model, notes = start_from(ancestor, DIGITS[::-1], "none")

    answers = model.predict(images, verbose=0)[:, ::-1]
    np.testing.assert_allclose(answers, ancestor.model.predict(images, verbose=0), atol=1e-6)
    assert notes[1:] == ["It has the same classes in another order, so its outputs were reordered."]


def test_outputs_of_known_classes_keep_their_weights_and_others_are_new(ancestor: Ancestor) -> None:
    keras.utils.set_random_seed(1)

    model, notes = start_from(ancestor, ("9", "x", "0"), "none")

    kernel, bias = model.get_layer("output").get_weights()
    old_kernel, _ = ancestor.model.get_layer("output").get_weights()
    np.testing.assert_array_equal(kernel[:, [0, 2]], old_kernel[:, [9, 0]])
    assert not np.isin(kernel[:, 1], old_kernel).any()
    assert bias[1] == 0
    assert notes[1:] == [
        "2 of 3 outputs kept their weights, since classes with these names were known; 1 are new, 8 were dropped."
    ]


def test_other_classes_get_a_new_head(ancestor: Ancestor, animals: Dataset) -> None:
    trained = train(fine_tuning(epochs=1), animals.head(train=320, test=50), ancestor=ancestor)

    assert trained.model.output_shape == (None, 3)
    assert list(trained.notes[1:]) == ["None of its classes was known, so all 3 outputs are new."]


def test_the_seed_decides_how_a_new_head_starts(ancestor: Ancestor, animals: Dataset) -> None:
    few = animals.head(train=64, test=10)

    one, again, two = (train(fine_tuning(epochs=1, seed=seed), few, ancestor=ancestor) for seed in (1, 1, 2))

    assert weights(one) == weights(again) != weights(two)


def functional(*last: keras.layers.Layer) -> Ancestor:
    """A network that no plan describes, as one made elsewhere."""
    images = keras.Input((28, 28))
    x = keras.layers.Reshape((28, 28, 1))(images)
    x = keras.layers.Conv2D(4, 3, strides=4)(x)
    x = keras.layers.Add()([x, keras.layers.Conv2D(4, 1)(x)])
    x = keras.layers.GlobalAveragePooling2D()(x)
    for layer in last:
        x = layer(x)
    return Ancestor("theirs", keras.Model(images, x), {"class_names": list(DIGITS)})


def test_a_network_with_branches_and_a_softmax_of_its_own_can_be_fine_tuned(few: Dataset) -> None:
    theirs = functional(keras.layers.Dense(10), keras.layers.Softmax())

    trained = train(
        TrainingParameters(from_model="theirs", freeze="convolutions", epochs=1).started_from(
            "theirs", "custom", {}, known=True
        ),
        replace(few, class_names=("x", *DIGITS)),
        ancestor=theirs,
    )

    assert trained.model.output_shape == (None, 11)
    assert [layer.name for layer in trained.model.layers if layer.trainable_weights] == [trained.model.layers[-2].name]


def test_a_network_within_another_is_frozen_and_gets_its_new_head(few: Dataset) -> None:
    inner = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Conv2D(2, 3, strides=4), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    layers = [keras.layers.Reshape((28, 28, 1)), inner, keras.layers.Softmax()]
    outer = keras.Sequential([keras.Input((28, 28)), *layers])
    theirs = Ancestor("theirs", outer, {"class_names": list(DIGITS)})

    trained = train(
        TrainingParameters(from_model="theirs", freeze="all_but_head", epochs=1).started_from(
            "theirs", "custom", {}, known=False
        ),
        replace(few, class_names=(*DIGITS, "x")),
        ancestor=theirs,
    )

    assert trained.model.output_shape == (None, 11)
    [kernel, bias, *head] = trained.model.get_weights()
    np.testing.assert_array_equal(kernel, outer.get_weights()[0])
    np.testing.assert_array_equal(bias, outer.get_weights()[1])
    assert not np.array_equal(head[0][:, :10], outer.get_weights()[2])


def test_a_network_without_a_dense_head_is_refused_with_the_layer_that_it_ends_in() -> None:
    with pytest.raises(CannotFineTune, match="theirs ends in a layer LayerNormalization"):
        start_from(functional(keras.layers.Dense(10), keras.layers.LayerNormalization()), DIGITS, "none")


def test_a_network_that_is_all_head_has_nothing_to_freeze() -> None:
    with pytest.raises(CannotFineTune, match="no layers with weights to freeze"):
        start_from(model_of(Plan(units=())), DIGITS, "all_but_head")


def test_a_model_is_read_from_its_folder(ancestor: Ancestor, tmp_path: Path) -> None:
    folder = tmp_path / "01abc"
    folder.mkdir()
    with pytest.raises(CannotFineTune, match=r"01abc has no Keras network \(model.keras\)"):
        Ancestor.load(folder)
    ancestor.model.save(folder / "model.keras")
    (folder / "metrics.json").write_text('{"recipe": "cnn", "ancestors": [{"id": "first"}]}')

    loaded = Ancestor.load(folder)

    assert loaded.class_names == DIGITS
    assert weights_sha256(loaded.model) == weights_sha256(ancestor.model)
    assert [each["id"] for each in loaded.lineage()] == ["01abc", "first"]


def test_the_hash_of_the_weights_changes_with_any_of_them(ancestor: Ancestor) -> None:
    model = start_from(ancestor, DIGITS, "none")[0]
    assert weights_sha256(model) == weights_sha256(ancestor.model)

    bias = model.layers[-1].bias
    bias.assign(keras.ops.convert_to_numpy(bias) + np.eye(10, dtype=np.float32)[3])

    assert weights_sha256(model) != weights_sha256(ancestor.model)


def test_forgetting_compares_both_on_the_images_of_the_first(ancestor: Ancestor, few: Dataset) -> None:
    """The new model has the classes in another order, and one more."""
    trained = train(fine_tuning(epochs=1, learning_rate=1e-9), few, ancestor=ancestor)
    model, _ = start_from(ancestor, ("x", *DIGITS[::-1]), "none")
    model.layers[-1].bias.assign(np.array([-99.0] + [0.0] * 10, np.float32))

    found = measure_forgetting(replace(trained, model=model), ("x", *DIGITS[::-1]), few)

    assert found.after == pytest.approx(found.before, abs=0.011)
    assert (found.dataset, found.test_images) == ("mnist", 100)
    assert "before" in found.note
