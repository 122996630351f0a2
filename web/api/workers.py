"""`GET /workers`."""

from http import HTTPStatus

from flask import Blueprint, Response, jsonify
from redis.exceptions import RedisError

from tenfold.web.api.documents.workers import WorkerList, worker_document
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import Answer, operation
from tenfold.web.core.problems import problem
from tenfold.web.core.services import services

routes = Blueprint("workers", __name__)


@routes.get("/workers")
@operation(
    "Service",
    "List the workers",
    answers=[Answer(200, "All that are online.", WorkerList, {"items": [examples.WORKER], "next": None})],
    problems=(503,),
)
def list_workers() -> Response:
    """The processes that run steps, and the predictors, that reported in the last ten seconds."""
    try:
        alive = services().registry.online()
    except RedisError:
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Redis is unavailable, so it is unknown which workers are online. Try again soon.",
            code="redis_unavailable",
        )
    answer: WorkerList = {"items": [worker_document(presence) for presence in alive], "next": None}
    return jsonify(answer)
