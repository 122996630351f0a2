"""`/healthz`: the process responds. `/readyz`: it can also accept jobs."""

from http import HTTPStatus
from typing import Literal

from flask import Blueprint, Response, jsonify
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import TypedDict

from tenfold.web.api.openapi.operations import Answer, operation
from tenfold.web.core.services import services
from tenfold.worker.db.states import JobKind

routes = Blueprint("health", __name__)

CHECKS = ("database", "volume", "redis", "predictor")


class Health(TypedDict):
    status: Literal["ok"]


class Checks(TypedDict):
    """`ok`, or what is wrong."""

    database: str
    volume: str
    redis: str
    predictor: str


class Readiness(TypedDict):
    status: Literal["ready", "not_ready"]
    checks: Checks


@routes.get("/healthz")
@operation(
    "Service",
    "Check that the process responds",
    answers=[Answer(200, "It does.", Health, {"status": "ok"})],
    public=True,
)
def healthz() -> Response:
    """Always `200` while the process responds."""
    return jsonify({"status": "ok"})


@routes.get("/readyz")
@operation(
    "Service",
    "Check whether jobs are accepted",
    answers=[
        Answer(200, "Jobs are accepted.", Readiness, {"status": "ready", "checks": dict.fromkeys(CHECKS, "ok")}),
        Answer(
            503,
            "Jobs are refused.",
            Readiness,
            {"status": "not_ready", "checks": dict.fromkeys(CHECKS, "ok") | {"volume": "the volume is missing"}},
        ),
    ],
    public=True,
)
def readyz() -> Response:
    """`200` if jobs are accepted, else `503`. Without Redis jobs are only delayed, and without a predictor only
    `POST /predictions` fails: both are reported in `checks` without failing."""
    checks = {"database": _database(), "volume": _volume(), "redis": _redis(), "predictor": _predictor()}
    ready = checks["database"] == checks["volume"] == "ok"
    response = jsonify({"status": "ready" if ready else "not_ready", "checks": checks})
    response.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return response


def _database() -> str:
    try:
        with services().database.read() as session:
            session.execute(text("SELECT 1 FROM jobs LIMIT 1"))
    except SQLAlchemyError as error:
        return f"the table of jobs is not readable: {type(error).__name__}"
    return "ok"


def _volume() -> str:
    return services().volume.storage.why_away() or "ok"


def _redis() -> str:
    try:
        services().queue.waiting(JobKind.TRAINING)
    except RedisError:
        return "unavailable: jobs are accepted and start when it is back"
    return "ok"


def _predictor() -> str:
    try:
        return (
            "ok"
            if services().predictions.has_predictor()
            else "unavailable: single images are refused until one is online"
        )
    except RedisError:
        return "unavailable, like Redis"
