"""`/models`: the models, and which one is the default."""

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from tenfold.web.api.answers import PageFilter, json_body, page_of
from tenfold.web.api.caching import with_strong_etag
from tenfold.web.api.documents.models import ModelDocument, ModelList, model_document
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, operation
from tenfold.web.core.problems import with_code
from tenfold.web.core.services import services
from tenfold.worker.errors import InvalidSubmission, UnknownModel
from tenfold.worker.models import removal

routes = Blueprint("models", __name__)


class ModelFilter(PageFilter):
    """Which models to list."""

    search: str = Field(
        "", max_length=200, description="Words that must all occur in the recipe, the data set's name or the id."
    )
    limit: int = Field(500, ge=1, le=1000, description="Maximum number of items on a page.")


class DefaultModel(BaseModel):
    """The new default model."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="Its id.")


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
    default = services().models.default()
    documents = [model_document(model, default=default is not None and model.id == default.id) for model in page]
    answer: ModelList = {"items": documents, "next": following}
    return jsonify(answer)


@routes.get("/models/<model:model_id>")
@operation(
    "Models",
    "Show a model",
    answers=[Answer(200, "The model.", ModelDocument, examples.MODEL, headers=("ETag",))],
    problems=(404,),
)
def get_model(model_id: str) -> Response:
    """One model with its metrics."""
    model = services().models.get(model_id)
    default = services().models.default()
    return jsonify(model_document(model, default=default is not None and default.id == model.id))


@routes.get("/models/default")
@operation(
    "Models",
    "Show the default model",
    answers=[Answer(200, "The model.", ModelDocument, examples.MODEL, headers=("ETag",))],
    problems=(404,),
)
def get_default_model() -> Response:
    """The model that is used where none is named: the chosen one, or the first that was trained."""
    default = services().models.default()
    if default is None:
        raise with_code(NotFound(services().models.why_no_default()), "model_not_found")
    return with_strong_etag(jsonify(model_document(default, default=True)))


@routes.put("/models/default")
@operation(
    "Models",
    "Set the default model",
    body=DefaultModel,
    example={"model": examples.MODEL_ID},
    headers=("If-Match",),
    answers=[Answer(200, "The model.", ModelDocument, examples.MODEL, headers=("ETag",))],
    problems=(412,),
)
def put_default_model() -> Response:
    """Use a model wherever none is named. Only the very first training changes the default by itself."""
    wanted = DefaultModel.model_validate(json_body(request)).model
    try:
        model = services().models.make_default(wanted)
    except UnknownModel as error:
        raise InvalidSubmission("model", str(error)) from error
    return with_strong_etag(jsonify(model_document(model, default=True)))


@routes.delete("/models/<model:model_id>")
@operation("Models", "Delete a model", answers=NO_CONTENT, problems=(404, 409))
def delete_model(model_id: str) -> tuple[str, int]:
    """Delete a model and its files. Its training and its results stay."""
    removal.delete_model(services(), model_id)
    return "", 204
