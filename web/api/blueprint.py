"""All routes of the API, under `/api/v1`."""

from flask import Blueprint

from tenfold.web.api import (
    aliases,
    checks,
    classifications,
    comparisons,
    dataset_images,
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
from tenfold.web.api.openapi import document
from tenfold.web.api.parts.caching import add_etag, check_if_match

RESOURCES = (
    aliases,
    checks,
    classifications,
    comparisons,
    dataset_images,
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


api = Blueprint("api", __name__, url_prefix="/api/v1")
for resource in RESOURCES:
    api.register_blueprint(resource.routes)
api.before_request(check_if_match)
api.after_request(add_etag)
