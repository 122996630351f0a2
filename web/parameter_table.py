"""Parameters of several trainings side by side, from the one declaration: what differs is marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.parameters import TrainingParameters
from web.forms import as_text

# What a training has that is no hyper-parameter, and says nothing of how it learned.
LEFT_OUT = ("exports",)


@dataclass(frozen=True)
class ParameterRow:
    """One parameter: its name, and its value in each training, empty where it has none."""

    name: str
    title: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


def parameter_rows(parameters: Sequence[Mapping[str, Any]]) -> list[ParameterRow]:
    """A row for each parameter that any of the trainings has, in the order of the declaration."""
    return [
        ParameterRow(name, field.title or name, tuple(as_text(each.get(name)) for each in parameters))
        for name, field in TrainingParameters.model_fields.items()
        if name not in LEFT_OUT and any(name in each for each in parameters)
    ]
