"""`/models`: the registry, and which model serves by default."""

from flask import Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from web.api import api
from web.api.answers import json_body
from web.representations import model_document
from web.services import services
from worker.errors import InvalidSubmission, UnknownModel
from worker.model_removal import delete_model


class DefaultModel(BaseModel):
    """Which model is to be the default."""

    model_config = ConfigDict(extra="forbid")

    model: str


@api.get("/models")
def list_models() -> Response:
    """All models, the newest first."""
    default = services().models.default()
    return jsonify(
        {"models": [model_document(model, default=model.id == default.id) for model in services().models.list()]}
        if default
        else {"models": []}
    )


@api.get("/models/<model_id>")
def get_model(model_id: str) -> Response:
    """One model with its figures."""
    model = services().models.get(model_id)
    default = services().models.default()
    return jsonify(model_document(model, default=default is not None and default.id == model.id))


@api.put("/models/default")
def put_default_model() -> Response:
    """Let a model serve wherever none is named; until this is called, the newest does."""
    wanted = DefaultModel.model_validate(json_body(request)).model
    try:
        model = services().models.make_default(wanted)
    except UnknownModel as error:
        raise InvalidSubmission("model", str(error)) from error
    return jsonify(model_document(model, default=True))


@api.delete("/models/<model_id>")
def delete_one_model(model_id: str) -> tuple[str, int]:
    """Remove a model and its files. The training that made it stays, and so do the results that it gave."""
    delete_model(services(), model_id)
    return "", 204
