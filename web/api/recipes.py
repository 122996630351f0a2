"""`GET /recipes`."""

from flask import Response, jsonify

from trainer.recipes import RECIPES
from web.api import api
from web.representations import recipe_document


@api.get("/recipes")
def list_recipes() -> Response:
    """The recipes that a training can name, with what they are made of and their published figures."""
    return jsonify({"recipes": [recipe_document(recipe) for recipe in RECIPES.values()]})
