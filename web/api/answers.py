"""What several calls of the API have in common: reading a JSON body, or what comes beside a file; answering `202`."""

from http import HTTPStatus
from typing import Any

from flask import Request, Response, jsonify, url_for
from werkzeug.exceptions import BadRequest

from web.access.bodies import MAX_BODY_BYTES
from web.representations import job_document
from web.services import services
from worker.errors import InvalidSubmission
from worker.records import Job

LONGEST_KEY = 255


def fields_beside_file(request: Request) -> dict[str, str]:
    """The query's parameters, and over them the form's fields; several of one name are joined by commas, as lists are
    written."""
    given = {**dict(request.args.lists()), **dict(request.form.lists())}
    return {name: ",".join(values) for name, values in given.items()}


def json_body(request: Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        BadRequest: the body is no JSON object.
        UnsupportedMediaType: it is not said to be JSON.
        RequestEntityTooLarge: it is longer than 64 KiB.
    """
    request.max_content_length = MAX_BODY_BYTES
    try:
        body = request.get_json()
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    if not isinstance(body, dict):
        raise BadRequest('The body must be a JSON object, for example {"recipe": "dropout-128"}.')
    return body


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key` header.

    Raises:
        InvalidSubmission: it is too long.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise InvalidSubmission("Idempotency-Key", f"The key must have 1 to {LONGEST_KEY} characters.")
    return key


def accepted(job: Job) -> Response:
    """`202` with the job, and where to poll it."""
    response = jsonify(job_document(job, services().live))
    response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = url_for("api.get_job", job_id=job.id)
    response.headers["Retry-After"] = "1"
    return response
