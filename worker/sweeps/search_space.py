"""The search space of a sweep: for each hyperparameter a choice of values, or a range.

Both can be typed (`dropout=0|0.2|0.4`, `units=64|128,64`, `learning_rate=log:0.0001..0.01`) or given as JSON
(`[0, 0.2, 0.4]`, `{"low": 0.0001, "high": 0.01, "log": true}`).
"""

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

LOG = "log:"


class Range(BaseModel):
    """All numbers from `low` to `high`, on a logarithmic scale with `log`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = False

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"a range runs from a lower to a higher number, not from {self.low} to {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range starts above 0, not at {self.low}")
        return self

    def __str__(self) -> str:
        return f"{LOG if self.log else ''}{self.low:g}..{self.high:g}"


# Values as they are typed; `TrainingParameters` parses and checks them.
Choices = tuple[str, ...]

Axis = Range | Annotated[Choices, Field(min_length=1, max_length=100)]


def _parse_space(given: Any) -> Any:
    if isinstance(given, str):
        lines = [line.strip() for line in given.replace(";", "\n").splitlines() if line.strip()]
        unreadable = [line for line in lines if "=" not in line]
        if unreadable:
            raise ValueError(f"{unreadable[0]!r} is not name=values, such as dropout=0|0.2|0.4")
        given = {name.strip(): values.strip() for name, values in (line.split("=", 1) for line in lines)}
    return {name: _parse_axis(name, axis) for name, axis in given.items()} if isinstance(given, dict) else given


def _parse_axis(name: str, given: Any) -> Any:
    if isinstance(given, str) and ".." in given:
        low, high = given.removeprefix(LOG).split("..", 1)
        given = {"low": low, "high": high, "log": given.startswith(LOG)}
    if isinstance(given, dict):
        try:
            return Range(**given)
        except ValidationError as error:
            raise ValueError(f"{name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    if isinstance(given, str):
        return tuple(choice.strip() for choice in given.split("|"))
    if isinstance(given, list | tuple):
        return tuple(_as_text(choice) for choice in given)
    return given


def _as_text(choice: Any) -> str:
    if isinstance(choice, list | tuple):
        return ",".join(map(str, choice)) or "none"
    return str(choice)


Space = Annotated[dict[str, Axis], BeforeValidator(_parse_space)]


def space_as_text(space: dict[str, Axis]) -> str:
    """The space as it is typed, one line per hyperparameter."""
    return "\n".join(f"{name}={axis if isinstance(axis, Range) else '|'.join(axis)}" for name, axis in space.items())
