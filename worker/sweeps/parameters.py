"""The parameters of a sweep: those of a training, and the search."""

from math import prod
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from tenfold.trainer.architecture.parameters import NETWORK, TrainingParameters
from tenfold.trainer.architecture.plans import Flag, Plan
from tenfold.worker.sweeps.search_space import Range, Space

SEARCHABLE = (*(name for name in Plan.model_fields if not name.startswith("validation")), "freeze", "seed")


class SweepParameters(TrainingParameters):
    """A search over trainings. Parameters outside the search space are those of a single training.

    Trials are ranked on a validation split of the training images, never on the test images: choosing the best by its
    test accuracy would overestimate it.
    """

    space: Space = Field(
        title="Search space",
        description="One line per hyperparameter: name=a|b|c for a choice, name=1..10 for a range, "
        "name=log:0.0001..0.01 for a logarithmic range.",
        examples=["learning_rate=log:0.0001..0.01\ndropout=0|0.2|0.4\nunits=64|128|128,64"],
        json_schema_extra={"format": "lines"},
    )
    method: Literal["tpe", "random", "grid"] = Field(
        "tpe",
        title="Method",
        description="tpe (Optuna) learns from earlier trials; random; grid tries every combination of choices.",
    )
    trials: int = Field(
        20, ge=1, le=500, title="Trials", description="Total number of trainings; a grid may have fewer."
    )
    parallel: int = Field(
        4, ge=1, le=64, title="In parallel", description="Trials queued at the same time; each worker takes one."
    )
    objective: Literal["val_accuracy", "val_loss"] = Field(
        "val_accuracy", title="Objective", description="Ranks the trials: highest accuracy or lowest loss."
    )
    pruning: Flag = Field(
        True,
        title="Pruning",
        description="Stop a trial early if it is worse than half of the others were at the same epoch.",
    )

    @field_validator("space")
    @classmethod
    def _check_values(cls, space: Space, others: ValidationInfo) -> Space:
        if not space:
            raise ValueError("name at least one hyperparameter to search")
        base = {name: value for name, value in others.data.items() if value is not None}
        for name, axis in space.items():
            if name not in SEARCHABLE:
                raise ValueError(f"{name!r} cannot be searched; choose among {', '.join(SEARCHABLE)}")
            if "from_model" in base and name in NETWORK:
                raise ValueError(f"{name!r} cannot be searched with from_model, which defines the network")
            for value in _ends(name, axis) if isinstance(axis, Range) else axis:
                try:
                    _trial(base, {name: value})
                except ValidationError as error:
                    reason = error.errors()[0]["msg"].removeprefix("Value error, ")
                    raise ValueError(f"{name}={value} is invalid: {reason}") from None
        return space

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        ranges = [name for name, axis in self.space.items() if isinstance(axis, Range)]
        if ranges and self.method == "grid":
            raise ValueError(f"a grid needs choices, and {ranges[0]} is a range: list values, {ranges[0]}=a|b|c")
        return self

    def trial(self, values: dict[str, Any]) -> TrainingParameters:
        """The training with these hyperparameters.

        Raises:
            ValidationError: the combination is invalid.
        """
        return _trial(self.model_dump(include=set(TrainingParameters.model_fields), exclude_none=True), values)

    @property
    def trial_count(self) -> int:
        """The number of trials."""
        if self.method != "grid":
            return self.trials
        return min(self.trials, prod(len(axis) for axis in self.space.values() if not isinstance(axis, Range)))


def _trial(base: dict[str, Any], values: dict[str, Any]) -> TrainingParameters:
    trial = TrainingParameters(**(base | {"validation": "split"} | values))
    trial.plan()
    return trial


def _ends(name: str, axis: Range) -> tuple[float, float]:
    return (int(axis.low), int(axis.high)) if is_integer(name) else (axis.low, axis.high)


def is_integer(name: str) -> bool:
    """Whether a hyperparameter is an integer."""
    fields = TrainingParameters.model_fields | Plan.model_fields
    return fields[name].annotation is int
