"""The parameters of several trainings side by side, with the differences marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.web.core.forms import as_text

# Parameters that do not affect the training.
OMITTED = ("exports",)


@dataclass(frozen=True)
class ParameterRow:
    """One parameter and its value in each training, empty where it has none."""

    name: str
    title: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


def parameter_rows(parameters: Sequence[Mapping[str, Any]]) -> list[ParameterRow]:
    """A row for each parameter of any of the trainings, in the order of `TrainingParameters`."""
    return [
        ParameterRow(name, field.title or name, tuple(as_text(each.get(name)) for each in parameters))
        for name, field in TrainingParameters.model_fields.items()
        if name not in OMITTED and any(name in each for each in parameters)
    ]
