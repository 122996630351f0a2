"""Models and recipes."""

from collections.abc import Sequence
from typing import Any

from flask import url_for
from typing_extensions import TypedDict

from tenfold.trainer.architecture.recipes import Recipe
from tenfold.web.api.documents.common import timestamp
from tenfold.worker.db.records import Model


class ModelLinks(TypedDict):
    self: str
    files: str
    aliases: str


class ModelDocument(TypedDict):
    """A trained model with its aliases; `trial` marks one that a sweep trained."""

    id: str
    recipe: str
    dataset: str
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    created_at: str
    aliases: list[str]
    trial: bool
    links: ModelLinks


class ModelList(TypedDict):
    """Models, the newest first; `next` is the address of the following page, or null."""

    items: list[ModelDocument]
    next: str | None


class RecipeList(TypedDict):
    """All recipes; `next` is always null."""

    items: list[Recipe]
    next: None


def model_document(model: Model, aliases: Sequence[str]) -> ModelDocument:
    return {
        "id": model.id,
        "recipe": model.recipe,
        "dataset": model.dataset,
        "parameters": model.parameters,
        "metrics": model.metrics,
        "created_at": timestamp(model.created_at),
        "aliases": list(aliases),
        "trial": model.trial,
        "links": {
            "self": url_for("api.models.get_model", model_id=model.id),
            "files": url_for("api.files.list_model_files", model_id=model.id),
            "aliases": url_for("api.aliases.list_aliases_of_model", model_id=model.id),
        },
    }
