"""The one typed declaration of a sweep's parameters: those of a training, and what is to be searched."""

from math import prod
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from trainer.parameters import TrainingParameters
from trainer.plans import Flag, Plan
from worker.search_space import Range, Space

SEARCHABLE = (*(name for name in Plan.model_fields if not name.startswith("validation")), "seed")


class SweepParameters(TrainingParameters):
    """A search over trainings. Whatever is not searched is as in a single training.

    Every trial is judged on a validation split of the training images, never on the test images, by which the best
    one would be chosen to look better than it is.
    """

    space: Space = Field(
        title="Search space",
        description="A line for each hyper-parameter: name=a|b|c for a choice, name=1..10 for a range, "
        "name=log:0.0001..0.01 for one searched by orders of magnitude.",
        examples=["learning_rate=log:0.0001..0.01\ndropout=0|0.2|0.4\nunits=64|128|128,64"],
        json_schema_extra={"format": "lines"},
    )
    method: Literal["tpe", "random", "grid"] = Field(
        "tpe",
        title="Method",
        description="tpe (Optuna's) learns from the trials so far; random; grid tries every combination of choices.",
    )
    trials: int = Field(20, ge=1, le=500, title="Trials", description="Trainings in all; a grid may have fewer.")
    parallel: int = Field(
        4, ge=1, le=64, title="In parallel", description="Trials queued at a time; workers take one each."
    )
    objective: Literal["val_accuracy", "val_loss"] = Field(
        "val_accuracy", title="Objective", description="What ranks the trials: highest accuracy or lowest loss."
    )
    pruning: Flag = Field(
        True,
        title="Pruning",
        description="Stop a trial early that is worse than half of the others were at the same epoch.",
    )

    @field_validator("space")
    @classmethod
    def _check_values(cls, space: Space, others: ValidationInfo) -> Space:
        if not space:
            raise ValueError("name at least one hyper-parameter to search")
        base = {name: value for name, value in others.data.items() if value is not None}
        for name, axis in space.items():
            if name not in SEARCHABLE:
                raise ValueError(f"{name!r} cannot be searched; choose among {', '.join(SEARCHABLE)}")
            for value in _ends(name, axis) if isinstance(axis, Range) else axis:
                try:
                    _trial(base, {name: value})
                except ValidationError as error:
                    reason = error.errors()[0]["msg"].removeprefix("Value error, ")
                    raise ValueError(f"{name}={value} cannot be: {reason}") from None
        return space

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        ranges = [name for name, axis in self.space.items() if isinstance(axis, Range)]
        if ranges and self.method == "grid":
            raise ValueError(f"a grid needs choices, and {ranges[0]} is a range: list values, {ranges[0]}=a|b|c")
        return self

    def trial(self, values: dict[str, Any]) -> TrainingParameters:
        """The training that these values of searched hyper-parameters make.

        Raises:
            ValidationError: they do not go together.
        """
        return _trial(self.model_dump(include=set(TrainingParameters.model_fields), exclude_none=True), values)

    @property
    def trial_count(self) -> int:
        """How many trials there will be."""
        if self.method != "grid":
            return self.trials
        return min(self.trials, prod(len(axis) for axis in self.space.values() if not isinstance(axis, Range)))


def _trial(base: dict[str, Any], values: dict[str, Any]) -> TrainingParameters:
    return TrainingParameters(**(base | {"validation": "split"} | values))


def _ends(name: str, axis: Range) -> tuple[float, float]:
    return (int(axis.low), int(axis.high)) if is_integer(name) else (axis.low, axis.high)


def is_integer(name: str) -> bool:
    """Whether a hyper-parameter takes whole numbers only."""
    fields = TrainingParameters.model_fields | Plan.model_fields
    return fields[name].annotation is int
