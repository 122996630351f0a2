"""Every error leaves the API as an `application/problem+json` document (RFC 9457)."""

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from gunicorn.http.errors import ParseException
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from worker.errors import (
    IdempotencyConflict,
    InvalidSubmission,
    OffsetConflict,
    OfLaterVersion,
    PredictorAway,
    QuotaExceeded,
    UnknownDataset,
    UnknownJob,
    UnknownKey,
    UnknownModel,
    UnknownRow,
    UnknownUpload,
    UnknownUser,
    UnknownWebhook,
    UploadBusy,
    UploadTooLong,
    WorkerError,
    WrongState,
)
from worker.storage import StorageAway

API_PREFIX = "/api/"

STATUS_OF: dict[type[WorkerError], HTTPStatus] = {
    UnknownJob: HTTPStatus.NOT_FOUND,
    OfLaterVersion: HTTPStatus.SERVICE_UNAVAILABLE,
    UnknownModel: HTTPStatus.NOT_FOUND,
    UnknownRow: HTTPStatus.NOT_FOUND,
    UnknownUpload: HTTPStatus.NOT_FOUND,
    OffsetConflict: HTTPStatus.CONFLICT,
    UploadBusy: HTTPStatus.LOCKED,
    UploadTooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnknownWebhook: HTTPStatus.NOT_FOUND,
    UnknownDataset: HTTPStatus.NOT_FOUND,
    WrongState: HTTPStatus.CONFLICT,
    IdempotencyConflict: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidSubmission: HTTPStatus.UNPROCESSABLE_ENTITY,
    PredictorAway: HTTPStatus.SERVICE_UNAVAILABLE,
    QuotaExceeded: HTTPStatus.FORBIDDEN,
    UnknownUser: HTTPStatus.NOT_FOUND,
    UnknownKey: HTTPStatus.NOT_FOUND,
}

# The database is away, its connections are broken, or it has no room or no time.
AWAY = (OperationalError, InterfaceError, PoolTimeout)

# The volume's disk is full, or what may be written to it is used up.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# A predictor takes a few seconds to start.
RETRY_AFTER_SECONDS = 5


def problem(status: HTTPStatus, detail: str, errors: list[dict[str, str]] | None = None) -> Response:
    """A problem document. `errors` has one `{"field": …, "message": …}` for each field that was wrong."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": request.path,
    }
    if errors is not None:
        body["errors"] = errors
    response = jsonify(body)
    response.status_code = status.value
    response.content_type = "application/problem+json"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def field_errors(error: ValidationError | InvalidSubmission) -> list[dict[str, str]]:
    """What was wrong with each field, in words for a person."""
    if isinstance(error, InvalidSubmission):
        return [{"field": error.field, "message": str(error)}]
    return [
        {
            "field": ".".join(str(part) for part in item["loc"]),
            "message": item["msg"].removeprefix("Value error, "),
        }
        for item in error.errors()
    ]


def register_problems(app: Flask) -> None:
    """Turn errors raised under the API's prefix into problem documents; pages have error pages of their own."""

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        errors = field_errors(error)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _sentence(errors), errors)

    @app.errorhandler(WorkerError)
    def refused(error: WorkerError) -> Response | tuple[str, int, Mapping[str, str]]:
        status = STATUS_OF.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        errors = field_errors(error) if isinstance(error, InvalidSubmission) else None
        return _answer(status, str(error), errors)

    @app.errorhandler(StorageAway)
    def away(error: StorageAway) -> Response | tuple[str, int, Mapping[str, str]]:
        app.logger.error("%s", error)
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "The volume cannot be reached now. Try again in a moment.")

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response | tuple[str, int, Mapping[str, str]]:
        return _answer(HTTPStatus(error.code or 500), error.description or "", headers=_headers_of(error))

    @app.errorhandler(ParseException)
    def no_http(error: ParseException) -> Response | tuple[str, int, Mapping[str, str]]:
        return _answer(HTTPStatus.BAD_REQUEST, f"The body was not sent as HTTP has it: {error}.")

    @app.errorhandler(SQLAlchemyError)
    def database_away(error: SQLAlchemyError) -> Response | tuple[str, int, Mapping[str, str]]:
        if not isinstance(error, AWAY):
            return unexpected(error)
        app.logger.warning("the database did not answer on %r: %s", request.path, error)
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "The database is away or has too much to do; try again.")

    @app.errorhandler(OSError)
    def disk_full(error: OSError) -> Response | tuple[str, int, Mapping[str, str]]:
        if error.errno not in FULL:
            return unexpected(error)
        app.logger.error("the volume is full: %s on %r", error, request.path)
        return _answer(
            HTTPStatus.INSUFFICIENT_STORAGE, "The server's volume is full; nothing was taken. Tell whoever runs it."
        )

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response | tuple[str, int, Mapping[str, str]]:
        app.logger.error("unexpected error on %r", request.path, exc_info=error)
        return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; the server's log says what.")


def _answer(
    status: HTTPStatus,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response | tuple[str, int, Mapping[str, str]]:
    if request.path.startswith(API_PREFIX):
        response = problem(status, detail, errors)
        response.headers.update(headers or {})
        return response
    return render_template("error.html", title=status.phrase, detail=detail), status, headers or {}


def _headers_of(error: HTTPException) -> dict[str, str]:
    """What an error says beside its text, such as the methods that are allowed."""
    found = error.response.headers.items() if error.response is not None else error.get_headers()
    return {name: value for name, value in found if name not in ("Content-Type", "Content-Length")}


def _sentence(errors: list[dict[str, str]]) -> str:
    return " ".join(f"{error['field'] or 'body'}: {error['message']}." for error in errors)
