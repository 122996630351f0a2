"""What each recipe has reached here: the figures of the newest model that was trained by it as it stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from trainer.parameters import TrainingParameters
from worker.records import Model

# What a person may choose freely and still follow the recipe.
FREE = {"recipe", "dataset", "seed", "exports"}


@dataclass(frozen=True)
class Measured:
    model: str
    dataset: str
    test_accuracy: float
    seconds: float | None


def measured(models: Iterable[Model], dataset: str = "mnist") -> dict[str, Measured]:
    """By recipe.

    Args:
        models: the newest first.
        dataset: on which; figures on others are not to be compared with what was published.
    """
    found: dict[str, Measured] = {}
    for model in models:
        if model.recipe not in found and model.dataset == dataset and _follows_recipe(model):
            metrics = model.metrics
            found[model.recipe] = Measured(model.id, dataset, metrics["test_accuracy"], metrics.get("seconds"))
    return found


def _follows_recipe(model: Model) -> bool:
    try:
        return bool(model.parameters) and TrainingParameters(**model.parameters).changes().keys() <= FREE
    except ValidationError:  # it was trained by a version that knew other parameters
        return False
