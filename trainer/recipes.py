"""The recipes that a training can name: five published MNIST systems, those that go beyond them, and one to fill in.

Each of the five reproduces its source's figures; `published` keeps them, as accuracies and losses in 0–1.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

from trainer.errors import UnknownRecipe
from trainer.plans import Plan

CUSTOM = "custom"


class Recipe(BaseModel):
    """A plan with a name.

    `origin` is `source` for the five published systems, `beyond` for what goes further, and `custom` for the plan
    that is there to be changed.
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
    batch_normalisation=True,
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
            description="100 relu units and ten independent sigmoid outputs, shown as p / sum(p).",
            origin="source",
            plan=Plan(units=(100,), output_activation="sigmoid"),
        ),
        Recipe(
            name="rmsprop-512",
            title="One wide layer, RMSprop",
            description="512 relu units, RMSprop and categorical cross-entropy on one-hot labels: five quick epochs.",
            origin="source",
            plan=Plan(units=(512,), optimizer="rmsprop", loss="categorical_crossentropy", epochs=5, batch_size=128),
            published={"train_accuracy": 0.9890, "test_accuracy": 0.9804},
        ),
        Recipe(
            name="dropout-128",
            title="One hidden layer with dropout",
            description="128 relu units with a fifth of them dropped in training: the well-known beginner's net.",
            origin="source",
            plan=Plan(units=(128,), dropout=0.2, validation="test"),
            published={"test_accuracy": 0.98, "train_loss": 0.0809, "val_loss": 0.0685},
        ),
        Recipe(
            name="dropout-128-32",
            title="Two hidden layers with dropout",
            description="128 and 32 relu units, a fifth of each dropped: watch the loss curves for overfitting.",
            origin="source",
            plan=Plan(units=(128, 32), dropout=0.2, validation="test"),
        ),
        Recipe(
            name="dense-128-64",
            title="Two hidden layers",
            description="128 and 64 relu units without dropout.",
            origin="source",
            plan=Plan(units=(128, 64)),
            published={"train_accuracy": 0.99, "test_accuracy": 0.98},
        ),
        Recipe(
            name="cnn",
            title="A convolutional net",
            description="Two blocks of convolutions with batch normalisation, then 128 dense units with dropout.",
            origin="beyond",
            plan=CNN,
        ),
        Recipe(
            name="cnn-augmented",
            title="A convolutional net on bent digits",
            description="A third block, and images that are turned, sheared, scaled, shifted and bent anew each epoch.",
            origin="beyond",
            plan=CNN.model_copy(
                update={"filters": (16, 32, 64), "dropout": 0.4, "epochs": 20, "augmentation": "elastic"}
            ),
        ),
        Recipe(
            name="dense-augmented",
            title="Dense layers on bent digits",
            description="800 relu units, as Simard published in 2003, on affine and elastic distortions.",
            origin="beyond",
            plan=Plan(units=(800,), schedule="cosine", epochs=100, batch_size=128, augmentation="elastic"),
            published={"test_accuracy": 0.993},
        ),
        Recipe(
            name=CUSTOM,
            title="A net of your own",
            description="128 relu units to begin with: choose the layers, the optimizer and the rest.",
            origin="custom",
            plan=Plan(),
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
