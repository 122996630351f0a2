"""Models and recipes."""

from typing import Any

from flask import url_for
from typing_extensions import TypedDict

from tenfold.trainer.architecture.recipes import Recipe
from tenfold.web.api.documents.common import timestamp
from tenfold.worker.db.records import Model


class ModelLinks(TypedDict):
    self: str
    files: str


class ModelDocument(TypedDict):
    """A trained model; `default` marks the one used where none is named, `trial` one that a sweep trained."""

    id: str
    recipe: str
    dataset: str
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    created_at: str
    default: bool
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


def model_document(model: Model, *, default: bool) -> ModelDocument:
    return {
        "id": model.id,
        "recipe": model.recipe,
        "dataset": model.dataset,
        "parameters": model.parameters,
        "metrics": model.metrics,
        "created_at": timestamp(model.created_at),
        "default": default,
        "trial": model.trial,
        "links": {
            "self": url_for("api.models.get_model", model_id=model.id),
            "files": url_for("api.files.list_model_files", model_id=model.id),
        },
    }
