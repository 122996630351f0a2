"""The recipes that a training can name: layers, optimizer, loss and schedule of five published MNIST systems.

Each reproduces its source's figures; `published` keeps them, as accuracies and losses in 0–1.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from trainer.errors import UnknownRecipe

INPUTS = 28 * 28
CLASSES = 10

# Keras' default for both of the optimizers used here.
DEFAULT_LEARNING_RATE = 0.001


class Dense(BaseModel):
    """A fully connected layer, followed by its activation and then, where `dropout` is above 0, by dropout."""

    model_config = ConfigDict(frozen=True)

    units: int = Field(ge=1)
    activation: Literal["relu"] = "relu"
    dropout: float = Field(0.0, ge=0, lt=1)


class Recipe(BaseModel):
    """A net and how it is trained. The net is Flatten(28×28→784), the hidden layers, then ten outputs."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    description: str
    hidden: tuple[Dense, ...]
    output_activation: Literal["softmax", "sigmoid"] = "softmax"
    optimizer: Literal["adam", "rmsprop"] = "adam"
    loss: Literal["sparse_categorical_crossentropy", "categorical_crossentropy"] = "sparse_categorical_crossentropy"
    epochs: int
    batch_size: int
    validation: Literal["none", "test"] = "none"
    published: Mapping[str, float] = {}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def parameters(self) -> int:
        """Trainable weights and biases."""
        widths = [INPUTS, *(layer.units for layer in self.hidden), CLASSES]
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="sigmoid-100",
            title="One hidden layer, sigmoid outputs",
            description="100 relu units and ten independent sigmoid outputs, shown as p / sum(p).",
            hidden=(Dense(units=100),),
            output_activation="sigmoid",
            epochs=10,
            batch_size=32,
        ),
        Recipe(
            name="rmsprop-512",
            title="One wide layer, RMSprop",
            description="512 relu units, RMSprop and categorical cross-entropy on one-hot labels: five quick epochs.",
            hidden=(Dense(units=512),),
            optimizer="rmsprop",
            loss="categorical_crossentropy",
            epochs=5,
            batch_size=128,
            published={"train_accuracy": 0.9890, "test_accuracy": 0.9804},
        ),
        Recipe(
            name="dropout-128",
            title="One hidden layer with dropout",
            description="128 relu units with a fifth of them dropped in training: the well-known beginner's net.",
            hidden=(Dense(units=128, dropout=0.2),),
            epochs=10,
            batch_size=32,
            validation="test",
            published={"test_accuracy": 0.98, "train_loss": 0.0809, "val_loss": 0.0685},
        ),
        Recipe(
            name="dropout-128-32",
            title="Two hidden layers with dropout",
            description="128 and 32 relu units, a fifth of each dropped: watch the loss curves for overfitting.",
            hidden=(Dense(units=128, dropout=0.2), Dense(units=32, dropout=0.2)),
            epochs=10,
            batch_size=32,
            validation="test",
        ),
        Recipe(
            name="dense-128-64",
            title="Two hidden layers",
            description="128 and 64 relu units without dropout.",
            hidden=(Dense(units=128), Dense(units=64)),
            epochs=10,
            batch_size=32,
            published={"train_accuracy": 0.99, "test_accuracy": 0.98},
        ),
    )
}


def get_recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        UnknownRecipe: there is none.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise UnknownRecipe(f"There is no recipe {name!r}; choose one of {', '.join(RECIPES)}.") from None
