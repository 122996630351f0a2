"""The recipes: five published MNIST systems, three that go beyond them, and a custom network.

Each of the five reproduces its source's figures, which are in `published`.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.errors import UnknownRecipe

CUSTOM = "custom"


class Recipe(BaseModel):
    """A named plan.

    `origin` is `source` for the five published systems, `beyond` for those that improve on them, and `custom` for the
    plan that users fill in. `published` has the source's accuracies (0–1) and losses (nats).
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    description: str
    origin: Literal["source", "beyond", "custom"]
    plan: Plan
    published: Mapping[str, float] = {}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def parameters(self) -> int:
        """Weights and biases, for ten classes."""
        return self.plan.parameter_count(classes=10)


CNN = Plan(
    filters=(16, 32),
    convolutions=2,
    units=(128,),
    batch_normalization=True,
    dropout=0.5,
    learning_rate=0.002,
    schedule="cosine",
    epochs=10,
    batch_size=128,
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="sigmoid-100",
            title="One hidden layer, sigmoid outputs",
            description="100 ReLU units and ten independent sigmoid outputs, shown as p / sum(p).",
            origin="source",
            plan=Plan(units=(100,), output_activation="sigmoid"),
        ),
        Recipe(
            name="rmsprop-512",
            title="One wide layer, RMSprop",
            description="512 ReLU units, RMSprop and categorical cross-entropy on one-hot labels: five quick epochs.",
            origin="source",
            plan=Plan(units=(512,), optimizer="rmsprop", loss="categorical_crossentropy", epochs=5, batch_size=128),
            published={"train_accuracy": 0.9890, "test_accuracy": 0.9804},
        ),
        Recipe(
            name="dropout-128",
            title="One hidden layer with dropout",
            description="128 ReLU units with 20 % dropout: the well-known beginner's network.",
            origin="source",
            plan=Plan(units=(128,), dropout=0.2, validation="test"),
            published={"test_accuracy": 0.98, "train_loss": 0.0809, "val_loss": 0.0685},
        ),
        Recipe(
            name="dropout-128-32",
            title="Two hidden layers with dropout",
            description="128 and 32 ReLU units, each with 20 % dropout: watch the loss curves for overfitting.",
            origin="source",
            plan=Plan(units=(128, 32), dropout=0.2, validation="test"),
        ),
        Recipe(
            name="dense-128-64",
            title="Two hidden layers",
            description="128 and 64 ReLU units without dropout.",
            origin="source",
            plan=Plan(units=(128, 64)),
            published={"train_accuracy": 0.99, "test_accuracy": 0.98},
        ),
        Recipe(
            name="cnn",
            title="Convolutional network",
            description="Two convolution blocks with batch normalization, then 128 dense units with dropout.",
            origin="beyond",
            plan=CNN,
        ),
        Recipe(
            name="cnn-augmented",
            title="Convolutional network with elastic distortion",
            description="Three convolution blocks; images get new affine and elastic distortions in each epoch.",
            origin="beyond",
            plan=CNN.model_copy(
                update={"filters": (16, 32, 64), "dropout": 0.4, "epochs": 20, "augmentation": "elastic"}
            ),
        ),
        Recipe(
            name="dense-augmented",
            title="Dense layers with elastic distortion",
            description="800 ReLU units on affine and elastic distortions, as published by Simard in 2003.",
            origin="beyond",
            plan=Plan(units=(800,), schedule="cosine", epochs=100, batch_size=128, augmentation="elastic"),
            published={"test_accuracy": 0.993},
        ),
        Recipe(
            name=CUSTOM,
            title="Custom network",
            description="Starts with 128 ReLU units: choose layers, optimizer and all other hyperparameters.",
            origin="custom",
            plan=Plan(),
        ),
    )
}


def get_recipe(name: str) -> Recipe:
    """Find a recipe by name.

    Raises:
        UnknownRecipe: no recipe has this name.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise UnknownRecipe(f"There is no recipe {name!r}; choose one of {', '.join(RECIPES)}.") from None
