"""Turns errors into `application/problem+json` documents (RFC 9457), and on pages into error pages."""

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Flask, Response, jsonify, render_template, request, url_for
from gunicorn.http.errors import ParseException
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from tenfold.web.core.problem_codes import PROBLEM_CODES, ProblemCode, code_of_status
from tenfold.web.core.request_ids import request_id
from tenfold.worker.errors import (
    IdempotencyConflict,
    InvalidSubmission,
    OffsetConflict,
    OfLaterVersion,
    PredictorAway,
    QuotaExceeded,
    UnknownAlias,
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
from tenfold.worker.storage import StorageAway

API_PREFIX = "/api/"

CODE_OF: dict[type[WorkerError], str] = {
    UnknownJob: "job_not_found",
    OfLaterVersion: "later_version",
    UnknownModel: "model_not_found",
    UnknownAlias: "alias_not_found",
    UnknownRow: "row_not_found",
    UnknownUpload: "upload_not_found",
    OffsetConflict: "offset_conflict",
    UploadBusy: "upload_busy",
    UploadTooLong: "upload_too_long",
    UnknownWebhook: "webhook_not_found",
    UnknownDataset: "dataset_not_found",
    WrongState: "wrong_state",
    IdempotencyConflict: "idempotency_key_reused",
    InvalidSubmission: "invalid_parameters",
    PredictorAway: "predictor_unavailable",
    QuotaExceeded: "quota_exceeded",
    UnknownUser: "user_not_found",
    UnknownKey: "key_not_found",
}

# The database is unreachable, full or overloaded, or the connection broke.
UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout)

# The disk is full, or a quota or file size limit is reached.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# The time that a predictor takes to start.
RETRY_AFTER_SECONDS = 5


Error = TypeVar("Error", bound=HTTPException)

Answer = Response | tuple[str, int, Mapping[str, str]]


def problem(
    status: HTTPStatus, detail: str, errors: list[dict[str, str]] | None = None, *, code: str | None = None
) -> Response:
    """A problem document.

    Args:
        errors: `{"field": …, "message": …}` for each field that was wrong.
        code: one of `PROBLEM_CODES`; by default the one for the status.
    """
    return _document(PROBLEM_CODES[code] if code else code_of_status(status), status, detail, errors)


def _document(code: ProblemCode, status: HTTPStatus, detail: str, errors: list[dict[str, str]] | None) -> Response:
    body: dict[str, Any] = {
        "type": url_for("problems.show", name=code.name),
        "code": code.name,
        "title": code.title,
        "status": status.value,
        "detail": detail,
        "instance": request.path,
        "request_id": request_id(),
    }
    if errors is not None:
        body["errors"] = errors
    response = jsonify(body)
    response.status_code = status.value
    response.content_type = "application/problem+json"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def with_code(error: Error, name: str) -> Error:
    """The error, with this one of `PROBLEM_CODES` as its code."""
    error.problem_code = PROBLEM_CODES[name]  # type: ignore[attr-defined]
    return error


def field_errors(error: ValidationError | InvalidSubmission) -> list[dict[str, str]]:
    """What is wrong with each field, in words for a person."""
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
    """Handle all errors: under the API's prefix with problem documents, elsewhere with error pages."""

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> Response:
        errors = field_errors(error)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _sentence(errors), errors)

    @app.errorhandler(WorkerError)
    def refused(error: WorkerError) -> Answer:
        name = next((CODE_OF[kind] for kind in type(error).__mro__ if kind in CODE_OF), None)
        if name is None:
            app.logger.error("%s for %r (request ID %s)", error, request.path, request_id(), exc_info=error)
        errors = field_errors(error) if isinstance(error, InvalidSubmission) else None
        return _answer(name or "internal_error", str(error), errors)

    @app.errorhandler(StorageAway)
    def away(error: StorageAway) -> Answer:
        app.logger.error("%s (request ID %s)", error, request_id())
        return _answer("volume_unavailable", "The volume is unreachable. Try again in a moment.")

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Answer:
        status, headers = HTTPStatus(error.code or 500), _headers_of(error)
        if request.path.startswith(API_PREFIX):
            response = _document(_code_of(error), status, error.description or "", None)
            response.headers.update(headers)
            return response
        return _page(status, status.phrase, error.description or "", headers)

    @app.errorhandler(ParseException)
    def no_http(error: ParseException) -> Answer:
        return _answer("bad_request", f"Malformed HTTP request: {error}.")

    @app.errorhandler(SQLAlchemyError)
    def database_away(error: SQLAlchemyError) -> Answer:
        if not isinstance(error, UNAVAILABLE):
            return unexpected(error)
        app.logger.warning("database unavailable for %r (request ID %s): %s", request.path, request_id(), error)
        return _answer("database_unavailable", "The database is unavailable or overloaded. Try again in a moment.")

    @app.errorhandler(OSError)
    def disk_full(error: OSError) -> Answer:
        if error.errno not in FULL:
            return unexpected(error)
        app.logger.error("volume full: %s for %r (request ID %s)", error, request.path, request_id())
        return _answer("volume_full", "The server's volume is full; nothing was saved. Tell its administrator.")

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Answer:
        app.logger.error("unexpected error for %r (request ID %s)", request.path, request_id(), exc_info=error)
        return _answer("internal_error", f"Internal server error (request ID {request_id()}).")


def _answer(name: str, detail: str, errors: list[dict[str, str]] | None = None) -> Answer:
    code = PROBLEM_CODES[name]
    if request.path.startswith(API_PREFIX):
        return _document(code, code.status, detail, errors)
    return _page(code.status, code.title, detail, {})


def _page(status: HTTPStatus, title: str, detail: str, headers: Mapping[str, str]) -> Answer:
    return render_template("error.html", title=title, status=status, detail=detail), status, headers


def _code_of(error: HTTPException) -> ProblemCode:
    code: ProblemCode | None = getattr(error, "problem_code", None)
    return code or code_of_status(error.code or 500)


def _headers_of(error: HTTPException) -> dict[str, str]:
    """Headers of an error, such as `Allow`."""
    found = error.response.headers.items() if error.response is not None else error.get_headers()
    return {name: value for name, value in found if name not in ("Content-Type", "Content-Length")}


def _sentence(errors: list[dict[str, str]]) -> str:
    return " ".join(f"{error['field'] or 'body'}: {error['message']}." for error in errors)
