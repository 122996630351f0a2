"""The one typed declaration of a training's parameters: the form, the API's checks and the command's options are
made from it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trainer.errors import UnknownRecipe
from trainer.recipes import DEFAULT_LEARNING_RATE, get_recipe


def _known_recipe(name: str) -> str:
    try:
        return get_recipe(name).name
    except UnknownRecipe as error:
        raise ValueError(str(error).rstrip(".")) from None


class TrainingParameters(BaseModel):
    """What to train. None means the recipe's own value; `resolved` fills it in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Annotated[str, AfterValidator(_known_recipe)] = Field(
        title="Recipe", description="Which net to train, and how.", examples=["dropout-128"]
    )
    epochs: int | None = Field(
        None, ge=1, le=1000, title="Epochs", description="Passes over the training images. Default: the recipe's."
    )
    batch_size: int | None = Field(
        None, ge=1, le=8192, title="Batch size", description="Images in one step. Default: the recipe's."
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=10,
        allow_inf_nan=False,
        title="Learning rate",
        description=f"Of the recipe's optimizer. Default: {DEFAULT_LEARNING_RATE}.",
    )
    seed: int = Field(
        1,
        ge=0,
        lt=2**31,
        title="Seed",
        description="Of weights, shuffling and dropout: the same seed on the same machine gives the same model.",
    )
    dataset: Literal["mnist"] = Field("mnist", title="Data set", description="What to train on.")

    def resolved(self) -> "TrainingParameters":
        """The same with every None filled in from the recipe."""
        recipe = get_recipe(self.recipe)
        defaults = {
            "epochs": recipe.epochs,
            "batch_size": recipe.batch_size,
            "learning_rate": DEFAULT_LEARNING_RATE,
        }
        missing = {name: value for name, value in defaults.items() if getattr(self, name) is None}
        return self.model_copy(update=missing)
