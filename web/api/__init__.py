"""The JSON API under `/api/v1`, a module for each kind of resource."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

api = Blueprint("api", __name__, url_prefix="/api/v1")


class ModelId(BaseConverter):
    """The id of a model; `default` is a resource of its own, which other methods go to."""

    regex = r"(?!default$)[^/]+"
    part_isolating = True


@api.record
def know_model_ids(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["model"] = ModelId


from web.api import (  # noqa: E402
    caching,  # noqa: F401
    classifications,  # noqa: F401
    datasets,  # noqa: F401
    events,  # noqa: F401
    files,  # noqa: F401
    health,  # noqa: F401
    jobs,  # noqa: F401
    models,  # noqa: F401
    openapi,  # noqa: F401
    predictions,  # noqa: F401
    recipes,  # noqa: F401
    reviews,  # noqa: F401
    sweeps,  # noqa: F401
    trainings,  # noqa: F401
    uploads,  # noqa: F401
    webhooks,  # noqa: F401
    workers,  # noqa: F401
)
