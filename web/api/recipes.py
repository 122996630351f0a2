"""`GET /recipes`."""

from flask import Blueprint, Response, jsonify

from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.web.api.documents.models import RecipeList
from tenfold.web.api.openapi.operations import Answer, operation

routes = Blueprint("recipes", __name__)


@routes.get("/recipes")
@operation(
    "Trainings",
    "List the recipes",
    answers=[
        Answer(
            200,
            "All recipes.",
            RecipeList,
            {"items": [RECIPES["dropout-128"].model_dump(mode="json")], "next": None},
            headers=("ETag",),
        )
    ],
)
def list_recipes() -> Response:
    """The recipes for trainings, with their layers, hyperparameters and published results."""
    return jsonify({"items": [recipe.model_dump(mode="json") for recipe in RECIPES.values()], "next": None})
