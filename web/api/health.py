"""`/healthz`: the process answers. `/readyz`: it can also take jobs."""

from http import HTTPStatus

from flask import Response, jsonify
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from web.api import api
from web.api.operations import Answer, operation
from web.documents import Health, Readiness
from web.services import services
from worker.states import JobKind

CHECKS = ("database", "volume", "redis", "predictor")


@api.get("/healthz")
@operation(
    "Service",
    "Say that the process answers",
    answers=[Answer(200, "It does.", Health, {"status": "ok"})],
    public=True,
)
def healthz() -> Response:
    """Always `200` while the process answers."""
    return jsonify({"status": "ok"})


@api.get("/readyz")
@operation(
    "Service",
    "Say whether jobs can be taken",
    answers=[
        Answer(200, "They can.", Readiness, {"status": "ready", "checks": dict.fromkeys(CHECKS, "ok")}),
        Answer(
            503,
            "They cannot.",
            Readiness,
            {"status": "not ready", "checks": dict.fromkeys(CHECKS, "ok") | {"volume": "the volume is not there"}},
        ),
    ],
    public=True,
)
def readyz() -> Response:
    """`200` when jobs can be taken, else `503`. Redis being away only delays jobs, and is told without
    failing; so is the predictor, without which all but `POST /predictions` works."""
    checks = {"database": _database(), "volume": _volume(), "redis": _redis(), "predictor": _predictor()}
    ready = checks["database"] == checks["volume"] == "ok"
    response = jsonify({"status": "ready" if ready else "not ready", "checks": checks})
    response.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return response


def _database() -> str:
    try:
        with services().database.read() as session:
            session.execute(text("SELECT 1 FROM jobs LIMIT 1"))
    except SQLAlchemyError as error:
        return f"the table of jobs cannot be read: {type(error).__name__}"
    return "ok"


def _volume() -> str:
    return services().volume.storage.why_away() or "ok"


def _redis() -> str:
    try:
        services().queue.waiting(JobKind.TRAINING)
    except RedisError:
        return "away: jobs are accepted and start when it is back"
    return "ok"


def _predictor() -> str:
    try:
        return "ok" if services().predictions.has_predictor() else "away: single images are refused until it is back"
    except RedisError:
        return "away, as Redis is"
