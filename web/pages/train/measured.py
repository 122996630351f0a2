"""The accuracy and time of each recipe on this server: those of its newest model without changes to the recipe."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Model

# Parameters that can differ without a change to the recipe.
NOT_PART_OF_RECIPE = {"recipe", "dataset", "seed", "exports"}

# How many of the newest models of each recipe are examined.
MAX_EXAMINED = 10


@dataclass(frozen=True)
class Measured:
    model: str
    dataset: str
    test_accuracy: float
    seconds: float | None


def measured(database: Database, dataset: str = "mnist") -> dict[str, Measured]:
    """By recipe, for recipes of which one of the newest `MAX_EXAMINED` models has no changes.

    Args:
        dataset: the data set of the models; figures of other data sets are not comparable with published ones.
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
                .limit(MAX_EXAMINED)
            )
            for model_id, parameters, accuracy, seconds in session.execute(query):
                if _follows_recipe(parameters):
                    found[recipe] = Measured(model_id, dataset, accuracy, seconds)
                    break
    return found


def _follows_recipe(parameters: Mapping[str, Any]) -> bool:
    try:
        return bool(parameters) and TrainingParameters(**parameters).changes().keys() <= NOT_PART_OF_RECIPE
    except ValidationError:  # trained by a version with other parameters
        return False
