"""Five recipes are those of the sources: layers, optimizer, loss, epochs and parameter counts. Others go beyond."""

from dataclasses import dataclass

import keras
import pytest

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import RECIPES, get_recipe
from tenfold.trainer.errors import UnknownRecipe


@dataclass(frozen=True)
class Published:
    """One row of the table of sources."""

    layers: list[str]
    optimizer: str
    loss: str
    epochs: int
    batch_size: int
    validation: str
    parameters: int


SPARSE, CATEGORICAL = "sparse_categorical_crossentropy", "categorical_crossentropy"

SOURCES = {
    "sigmoid-100": Published(["Flatten", "Dense 100 relu", "Dense 10 sigmoid"], "Adam", SPARSE, 10, 32, "none", 79_510),
    "rmsprop-512": Published(
        ["Flatten", "Dense 512 relu", "Dense 10 softmax"], "RMSprop", CATEGORICAL, 5, 128, "none", 407_050
    ),
    "dropout-128": Published(
        ["Flatten", "Dense 128 relu", "Dropout 0.2", "Dense 10 softmax"], "Adam", SPARSE, 10, 32, "test", 101_770
    ),
    "dropout-128-32": Published(
        ["Flatten", "Dense 128 relu", "Dropout 0.2", "Dense 32 relu", "Dropout 0.2", "Dense 10 softmax"],
        "Adam",
        SPARSE,
        10,
        32,
        "test",
        104_938,
    ),
    "dense-128-64": Published(
        ["Flatten", "Dense 128 relu", "Dense 64 relu", "Dense 10 softmax"], "Adam", SPARSE, 10, 32, "none", 109_386
    ),
}


BEYOND = ["cnn", "cnn-augmented", "dense-augmented"]


def test_the_five_recipes_of_the_sources_are_followed_by_those_beyond_and_the_one_to_fill_in() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.origin == "source"] == list(SOURCES)
    assert [name for name, recipe in RECIPES.items() if recipe.origin == "beyond"] == BEYOND
    assert list(RECIPES) == [*SOURCES, *BEYOND, "custom"]
    assert all(name == recipe.name for name, recipe in RECIPES.items())


@pytest.mark.parametrize("name", SOURCES)
def test_keras_builds_the_net_that_the_source_has(name: str) -> None:
    recipe, source = get_recipe(name), SOURCES[name]

    model = build_model(recipe.plan, classes=10, seed=1, steps=1, name=name)

    assert [described(layer) for layer in model.layers] == source.layers
    assert model.input_shape == (None, 28, 28)
    assert type(model.optimizer).__name__ == source.optimizer
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)
    assert model.loss == source.loss
    assert model.count_params() == recipe.parameters == source.parameters


def test_the_two_layer_net_has_the_published_parameters_layer_by_layer() -> None:
    model = build_model(get_recipe("dense-128-64").plan, classes=10, seed=1, steps=1)

    assert [layer.count_params() for layer in model.layers if layer.weights] == [100_480, 8_256, 650]


@pytest.mark.parametrize("name", SOURCES)
def test_the_schedule_is_the_source_s(name: str) -> None:
    plan, source = get_recipe(name).plan, SOURCES[name]

    assert (plan.epochs, plan.batch_size) == (source.epochs, source.batch_size)
    assert plan.validation == source.validation
    assert (plan.schedule, plan.augmentation, plan.label_smoothing, plan.early_stopping) == ("constant", "none", 0, 0)


@pytest.mark.parametrize("name", [*BEYOND, "custom"])
def test_the_others_are_built_with_as_many_parameters_as_they_say(name: str) -> None:
    recipe = get_recipe(name)

    model = build_model(recipe.plan, classes=10, seed=1, steps=1, name=name)

    assert model.count_params() == recipe.parameters
    assert model.output_shape == (None, 10)


def test_the_one_to_fill_in_is_the_plan_of_all_defaults() -> None:
    assert get_recipe("custom").plan == Plan()


def test_published_figures_are_kept_with_the_recipes() -> None:
    assert RECIPES["rmsprop-512"].published == {"train_accuracy": 0.9890, "test_accuracy": 0.9804}
    assert RECIPES["dropout-128"].published == {"test_accuracy": 0.98, "train_loss": 0.0809, "val_loss": 0.0685}
    assert RECIPES["dense-128-64"].published == {"train_accuracy": 0.99, "test_accuracy": 0.98}


def test_the_parameter_count_is_in_the_recipe_s_document() -> None:
    document = RECIPES["dense-128-64"].model_dump(mode="json")

    assert document["parameters"] == 109_386
    assert document["plan"]["units"] == [128, 64]
    assert document["origin"] == "source"


def test_an_unknown_recipe_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownRecipe, match=r"'dense-9000'.*sigmoid-100.*dense-128-64"):
        get_recipe("dense-9000")


def described(layer: keras.Layer) -> str:
    """A layer as the sources' table writes it."""
    match layer:
        case keras.layers.Dense():
            return f"Dense {layer.units} {layer.activation.__name__}"
        case keras.layers.Dropout():
            return f"Dropout {layer.rate}"
        case _:
            return type(layer).__name__
