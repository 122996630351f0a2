"""The parameters of a training job: a recipe, and changes to its plan."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import CUSTOM, get_recipe
from tenfold.trainer.errors import UnknownRecipe

Export = Literal["savedmodel", "onnx", "litert"]


def _known_recipe(name: str) -> str:
    try:
        return get_recipe(name).name
    except UnknownRecipe as error:
        raise ValueError(str(error).rstrip(".")) from None


def _words(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return () if value.strip().lower() == "none" else tuple(word.strip() for word in value.split(",") if word.strip())


def _optional(field: FieldInfo) -> Any:
    """The same field, optional: None means the recipe's value."""
    return Annotated[field.annotation | None, FieldInfo.merge_field_infos(field, annotation=None)], None  # type: ignore[operator]


class _Submission(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Annotated[str, AfterValidator(_known_recipe)] = Field(
        CUSTOM, title="Recipe", description="The network to train and its hyperparameters.", examples=["dropout-128"]
    )
    dataset: str = Field(
        "mnist",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
        title="Data set",
        description="Data to train on: mnist, fashion-mnist, or the name of an uploaded data set.",
    )


if TYPE_CHECKING:
    _Changes = _Submission
else:
    _Changes = create_model(
        "_Changes", __base__=_Submission, **{name: _optional(field) for name, field in Plan.model_fields.items()}
    )


class TrainingParameters(_Changes):
    """What to train. Has every field of `Plan` as well; None means the recipe's value."""

    seed: int = Field(
        1,
        ge=0,
        lt=2**31,
        title="Seed",
        description="Random seed. The same seed on the same machine gives the same model.",
    )
    exports: Annotated[tuple[Export, ...], BeforeValidator(_words)] = Field(
        (),
        title="Exports",
        description="Additional formats to save the model in: savedmodel, onnx, litert. Each is verified.",
        examples=["onnx,litert"],
    )

    if TYPE_CHECKING:

        def __init__(self, **values: Any) -> None: ...

    @model_validator(mode="after")
    def _check_plan(self) -> Self:
        self.plan()
        return self

    def plan(self) -> Plan:
        """The recipe's plan with these changes."""
        recipe = get_recipe(self.recipe).plan
        changes = {name: value for name in Plan.model_fields if (value := getattr(self, name)) is not None}
        return Plan.model_validate(recipe.model_dump() | changes)

    def resolved(self) -> Self:
        """A copy with every None replaced by the recipe's value."""
        return self.model_copy(update=self.plan().model_dump())

    def changes(self) -> dict[str, Any]:
        """Recipe, data set, seed, exports if any, and the fields that differ from the recipe's plan."""
        recipe = get_recipe(self.recipe).plan.model_dump(mode="json") | {"exports": []}
        given = self.model_dump(mode="json", exclude_none=True)
        return {name: value for name, value in given.items() if name not in recipe or value != recipe[name]}
