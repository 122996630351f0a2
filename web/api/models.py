"""`/models`: the registry, and which model serves by default."""

from typing import Any

from flask import Response, jsonify, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from web.api import api, examples
from web.api.answers import json_body
from web.api.caching import check_if_match, with_strong_etag
from web.api.operations import NO_CONTENT, Answer, operation
from web.documents import ModelDocument, ModelList
from web.problems import with_code
from web.representations import model_document
from web.services import services
from worker.errors import InvalidSubmission, UnknownModel
from worker.model_removal import delete_model


class ModelFilter(BaseModel):
    """Which models to list."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field(
        "", max_length=200, description="Words, each of which is a part of the recipe, the data set's name or the id."
    )
    limit: int = Field(500, ge=1, le=1000, description="Most models on a page.")
    cursor: str | None = Field(None, max_length=26, description="As `next` of the page before has it.")


class DefaultModel(BaseModel):
    """Which model is to be the default."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(description="Its id.")


@api.get("/models")
@operation(
    "Models",
    "List the models",
    query=ModelFilter,
    answers=[Answer(200, "A page.", ModelList, {"models": [examples.MODEL], "next": None}, headers=("ETag",))],
)
def list_models() -> Response:
    """The newest come first; `next` is the address of the following page, or null."""
    wanted = ModelFilter.model_validate(request.args.to_dict())
    found = services().models.list(search=wanted.search, before=wanted.cursor, limit=wanted.limit + 1)
    page, more = found[: wanted.limit], len(found) > wanted.limit
    following: str | None = None
    if more:
        query: dict[str, Any] = wanted.model_dump(exclude_defaults=True) | {"cursor": page[-1].id}
        following = url_for("api.list_models", **query)
    default = services().models.default()
    documents = [model_document(model, default=default is not None and model.id == default.id) for model in page]
    answer: ModelList = {"models": documents, "next": following}
    return jsonify(answer)


@api.get("/models/<model:model_id>")
@operation(
    "Models",
    "Look at a model",
    answers=[Answer(200, "The model.", ModelDocument, examples.MODEL, headers=("ETag",))],
    problems=(404,),
)
def get_model(model_id: str) -> Response:
    """One model with its figures."""
    model = services().models.get(model_id)
    default = services().models.default()
    return jsonify(model_document(model, default=default is not None and default.id == model.id))


@api.get("/models/default")
@operation(
    "Models",
    "Look at the default model",
    answers=[Answer(200, "The model.", ModelDocument, examples.MODEL, headers=("ETag",))],
    problems=(404,),
)
def get_default_model() -> Response:
    """The model that serves wherever none is named: the one that was chosen, or the first that was ever trained."""
    answer = _default_model()
    if answer is None:
        raise with_code(NotFound(services().models.why_no_default()), "model_not_found")
    return with_strong_etag(answer)


def _default_model() -> Response | None:
    default = services().models.default()
    return None if default is None else jsonify(model_document(default, default=True))


@api.put("/models/default")
@operation(
    "Models",
    "Choose the default model",
    body=DefaultModel,
    example={"model": examples.MODEL_ID},
    headers=("If-Match",),
    answers=[Answer(200, "The model.", ModelDocument, examples.MODEL, headers=("ETag",))],
    problems=(412,),
)
def put_default_model() -> Response:
    """Let a model serve wherever none is named. No training changes the default, but for the very first one."""
    wanted = DefaultModel.model_validate(json_body(request)).model
    check_if_match(_default_model)
    try:
        model = services().models.make_default(wanted)
    except UnknownModel as error:
        raise InvalidSubmission("model", str(error)) from error
    return with_strong_etag(jsonify(model_document(model, default=True)))


@api.delete("/models/<model:model_id>")
@operation("Models", "Delete a model", answers=NO_CONTENT, problems=(404, 409))
def delete_one_model(model_id: str) -> tuple[str, int]:
    """Remove a model and its files. The training that made it stays, and so do the results that it gave."""
    delete_model(services(), model_id)
    return "", 204
