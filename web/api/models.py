"""`/models`: the trained models."""

from flask import Blueprint, Response, jsonify, request
from pydantic import Field

from tenfold.web.api.documents.models import ModelDocument, ModelList, model_document
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, operation
from tenfold.web.api.parts.answers import PageFilter, page_of
from tenfold.web.core.services import services
from tenfold.worker.models import removal

routes = Blueprint("models", __name__)


class ModelFilter(PageFilter):
    """Which models to list."""

    search: str = Field(
        "", max_length=200, description="Words that must all occur in the recipe, the data set's name or the id."
    )
    limit: int = Field(500, ge=1, le=1000, description="Maximum number of items on a page.")


@routes.get("/models")
@operation(
    "Models",
    "List the models",
    query=ModelFilter,
    answers=[Answer(200, "A page.", ModelList, {"items": [examples.MODEL], "next": None}, headers=("ETag",))],
)
def list_models() -> Response:
    """The newest come first; `next` is the address of the following page, or null."""
    wanted = ModelFilter.model_validate(request.args.to_dict())
    found = services().models.list(search=wanted.search, before=wanted.cursor, limit=wanted.limit + 1)
    page, following = page_of(found, wanted)
    aliases = services().aliases.by_model()
    documents = [model_document(model, aliases.get(model.id, ())) for model in page]
    answer: ModelList = {"items": documents, "next": following}
    return jsonify(answer)


@routes.get("/models/<model_id>")
@operation(
    "Models",
    "Show a model",
    answers=[Answer(200, "The model.", ModelDocument, examples.MODEL, headers=("ETag",))],
    problems=(404,),
)
def get_model(model_id: str) -> Response:
    """One model with its metrics, by its id or an alias."""
    model = services().models.get(model_id)
    return jsonify(model_document(model, services().aliases.by_model().get(model.id, ())))


@routes.delete("/models/<model_id>")
@operation("Models", "Delete a model", answers=NO_CONTENT, problems=(404, 409))
def delete_model(model_id: str) -> tuple[str, int]:
    """Delete a model and its files, unless an alias names it. Its training and its results stay."""
    removal.delete_model(services(), model_id)
    return "", 204
