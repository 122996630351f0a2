"""`GET /recipes`."""

from flask import Response, jsonify

from trainer.recipes import RECIPES
from web.api import api
from web.api.operations import Answer, operation
from web.documents import RecipeList


@api.get("/recipes")
@operation(
    "Trainings",
    "List the recipes",
    answers=[
        Answer(
            200,
            "All recipes.",
            RecipeList,
            {"recipes": [RECIPES["dropout-128"].model_dump(mode="json")]},
            headers=("ETag",),
        )
    ],
)
def list_recipes() -> Response:
    """The recipes that a training can name, with what they are made of and their published figures."""
    return jsonify({"recipes": [recipe.model_dump(mode="json") for recipe in RECIPES.values()]})
