"""`GET /workers`."""

from http import HTTPStatus

from flask import Response, jsonify
from redis.exceptions import RedisError

from web.api import api, examples
from web.api.operations import Answer, operation
from web.documents import WorkerList
from web.problems import problem
from web.representations import worker_line
from web.services import services


@api.get("/workers")
@operation(
    "Service",
    "List the workers",
    answers=[Answer(200, "Those that are alive.", WorkerList, {"workers": [examples.WORKER]})],
    problems=(503,),
)
def list_workers() -> Response:
    """The processes that run steps, and the predictors, that have been heard of in the last seconds."""
    try:
        alive = services().presence.alive()
    except RedisError:
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Redis is away, so nobody knows which workers are alive. Try again soon.",
            code="redis_unavailable",
        )
    answer: WorkerList = {"workers": [worker_line(presence) for presence in alive]}
    return jsonify(answer)
