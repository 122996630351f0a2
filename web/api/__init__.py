"""The JSON API under `/api/v1`, a module for each kind of resource."""

from flask import Blueprint

api = Blueprint("api", __name__, url_prefix="/api/v1")

from web.api import (  # noqa: E402, F401
    classifications,
    datasets,
    files,
    health,
    jobs,
    models,
    recipes,
    reviews,
    sweeps,
    trainings,
)
