"""What each recipe has reached here: the figures of the newest model that was trained by it as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from trainer.parameters import TrainingParameters
from trainer.recipes import RECIPES
from worker.database import Database
from worker.records import Model

# What a person may choose freely and still follow the recipe.
FREE = {"recipe", "dataset", "seed", "exports"}

# Of each recipe; older ones are not gone through.
LAST_LOOKED_AT = 10


@dataclass(frozen=True)
class Measured:
    model: str
    dataset: str
    test_accuracy: float
    seconds: float | None


def measured(database: Database, dataset: str = "mnist") -> dict[str, Measured]:
    """By recipe, as far as one of its last `LAST_LOOKED_AT` models follows it.

    Args:
        dataset: on which; figures on others are not to be compared with what was published.
    """
    found: dict[str, Measured] = {}
    with database.read() as session:
        for recipe in RECIPES:
            query = (
                select(
                    Model.id,
                    Model.parameters,
                    Model.metrics["test_accuracy"].as_float(),
                    Model.metrics["seconds"].as_float(),
                )
                .where(Model.recipe == recipe, Model.dataset == dataset, Model.trial.is_(False))
                .order_by(Model.id.desc())
                .limit(LAST_LOOKED_AT)
            )
            for model_id, parameters, accuracy, seconds in session.execute(query):
                if _follows_recipe(parameters):
                    found[recipe] = Measured(model_id, dataset, accuracy, seconds)
                    break
    return found


def _follows_recipe(parameters: Mapping[str, Any]) -> bool:
    try:
        return bool(parameters) and TrainingParameters(**parameters).changes().keys() <= FREE
    except ValidationError:  # it was trained by a version that knew other parameters
        return False
