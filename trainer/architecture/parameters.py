"""The parameters of a training job: a recipe, and changes to its plan."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from tenfold.trainer.architecture.plans import BASIC, Plan
from tenfold.trainer.architecture.recipes import CUSTOM, get_recipe
from tenfold.trainer.errors import UnknownRecipe

Export = Literal["savedmodel", "onnx", "litert"]

Freeze = Literal["none", "convolutions", "all_but_head"]

# What defines the network. A training that starts from a model keeps the values of that model.
NETWORK = ("filters", "convolutions", "units", "activation", "batch_normalization", "dropout", "output_activation")

# The learning rate, as a share of that of the model's own training, where the model knows all classes already: it then
# forgets half as much, for little accuracy. A new output needs the whole rate (docs/how-to/fine-tune.md).
KNOWN_CLASSES_RATE = 0.3


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
    from_model: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        title="Start from a model",
        description="Fine-tune this model (ID or alias): start from its network, weights and hyperparameters instead "
        "of a recipe.",
        json_schema_extra=BASIC,
    )
    freeze: Freeze = Field(
        "none",
        title="Freeze layers",
        description="Layers that keep the weights of the model that it starts from: none, convolutions (all layers "
        "before the first dense one), or all_but_head (all but the output layer).",
        json_schema_extra={"advanced": True},
    )

    @field_validator("freeze")
    @classmethod
    def _check_freeze(cls, freeze: Freeze, others: ValidationInfo) -> Freeze:
        if freeze != "none" and others.data.get("from_model") is None:
            raise ValueError("only layers of a model to start from can be frozen: name it (from_model), or use none")
        return freeze


if TYPE_CHECKING:
    _Changes = _Submission
else:
    _Changes = create_model(
        "_Changes", __base__=_Submission, **{name: _optional(field) for name, field in Plan.model_fields.items()}
    )


class TrainingParameters(_Changes):
    """What to train. Has every field of `Plan` as well; None means the recipe's value.

    With `from_model`, None means that model's value. Those are filled in when the training is queued (`started_from`),
    so that the plan is known; `NETWORK` fields stay None where the model was not built from a plan.
    """

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
        if self.from_model is None:
            self.plan()
        return self

    def plan(self) -> Plan:
        """The recipe's plan with these changes."""
        recipe = get_recipe(self.recipe).plan
        changes = {name: value for name in Plan.model_fields if (value := getattr(self, name)) is not None}
        return Plan.model_validate(recipe.model_dump() | changes)

    def resolved(self) -> Self:
        """A copy with every None replaced by the recipe's value, except for the network of a model to start from."""
        values = self.plan().model_dump()
        return self.model_copy(update={name: values[name] for name in values if self._is_planned(name)})

    @property
    def network_known(self) -> bool:
        """Whether the plan describes the network."""
        return all(getattr(self.resolved(), name) is not None for name in NETWORK)

    def changes(self) -> dict[str, Any]:
        """Recipe, data set, seed, exports if any, and the fields that differ from the recipe's plan.

        With `from_model`, all fields but those that follow from that model.
        """
        given = self.model_dump(mode="json", exclude_none=True)
        usual: dict[str, Any] = {"exports": [], "freeze": "none"}
        if self.from_model is not None:
            return {
                name: value
                for name, value in given.items()
                if name not in ("recipe", *NETWORK) and (name not in usual or value != usual[name])
            }
        usual |= get_recipe(self.recipe).plan.model_dump(mode="json")
        return {name: value for name, value in given.items() if name not in usual or value != usual[name]}

    def started_from(self, model_id: str, recipe: str, plan: Mapping[str, Any], *, known: bool) -> Self:
        """A copy with the id of the model to start from, and with that model's values for the fields that are None.

        Args:
            known: whether the model knows all classes of the data set; the learning rate is then lower than its own.
            plan: the parameters of the model's own training, as far as they are recorded.

        Raises:
            ValidationError: the values do not fit together.
        """
        values = {name: plan[name] for name in Plan.model_fields if plan.get(name) is not None}
        if known:
            rate = values.get("learning_rate", Plan.model_fields["learning_rate"].default)
            values["learning_rate"] = float(f"{rate * KNOWN_CLASSES_RATE:.3g}")
        values |= self.model_dump(exclude_unset=True, exclude_none=True)
        return self.model_validate(values | {"from_model": model_id, "recipe": recipe})

    def _is_planned(self, field: str) -> bool:
        return self.from_model is None or field not in NETWORK
