"""The JSON API under `/api/v1`, a module for each kind of resource."""

from flask import Blueprint

api = Blueprint("api", __name__, url_prefix="/api/v1")

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
