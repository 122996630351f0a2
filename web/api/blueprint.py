"""All routes of the API, under `/api/v1`."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from tenfold.web.api import (
    classifications,
    comparisons,
    datasets,
    events,
    files,
    health,
    jobs,
    model_imports,
    models,
    predictions,
    recipes,
    reviews,
    sweeps,
    trainings,
    uploads,
    webhooks,
    workers,
)
from tenfold.web.api.caching import add_etag, check_if_match
from tenfold.web.api.openapi import document

RESOURCES = (
    classifications,
    comparisons,
    datasets,
    document,
    events,
    files,
    health,
    jobs,
    model_imports,
    models,
    predictions,
    recipes,
    reviews,
    sweeps,
    trainings,
    uploads,
    webhooks,
    workers,
)


class ModelId(BaseConverter):
    """The id of a model; `default` is a resource of its own, with other methods."""

    regex = r"(?!default$)[^/]+"
    part_isolating = True


api = Blueprint("api", __name__, url_prefix="/api/v1")
for resource in RESOURCES:
    api.register_blueprint(resource.routes)
api.before_request(check_if_match)
api.after_request(add_etag)


@api.record
def add_converter(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["model"] = ModelId
