"""What several calls of the API have in common: reading what was sent, pages of lists, answering `202`."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from flask import Request, Response, jsonify, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import BadRequest

from tenfold.web.api.documents.jobs import job_document
from tenfold.web.core.body_limits import max_body_bytes
from tenfold.web.core.services import services
from tenfold.worker.db.records import Job
from tenfold.worker.errors import InvalidSubmission

MAX_KEY = 255


class Identified(Protocol):
    @property
    def id(self) -> Any: ...


Row = TypeVar("Row", bound=Identified)


class PageFilter(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=500, description="Maximum number of items on a page.")
    cursor: str | None = Field(None, max_length=26, description="From `next` of the page before.")


def page_of(found: Sequence[Row], wanted: PageFilter) -> tuple[Sequence[Row], str | None]:
    """The rows of one page, and the address of the following page or None.

    Args:
        found: the rows from `wanted.cursor` on: `wanted.limit` and one more, which shows that another page follows.
    """
    if len(found) <= wanted.limit:
        return found, None
    rows = found[: wanted.limit]
    query = wanted.model_dump(mode="json", exclude_defaults=True) | {"cursor": rows[-1].id}
    return rows, url_for(request.endpoint or "", **(request.view_args or {}), **query)


def fields_beside_file(request: Request) -> dict[str, str]:
    """The parameters of the query, overridden by the form's fields; several of one name are joined by commas."""
    given = {**dict(request.args.lists()), **dict(request.form.lists())}
    return {name: ",".join(values) for name, values in given.items()}


def json_body(request: Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        BadRequest: the body is not a JSON object.
        UnsupportedMediaType: its content type is not JSON.
        RequestEntityTooLarge: it is longer than 64 KiB, or than the call's own limit.
    """
    request.max_content_length = max_body_bytes()
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
    if key is not None and not 0 < len(key) <= MAX_KEY:
        raise InvalidSubmission("Idempotency-Key", f"The key must have 1 to {MAX_KEY} characters.")
    return key


def accepted(job: Job) -> Response:
    """`202` with the job, and where to poll it."""
    response = jsonify(job_document(job, services().live))
    response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = url_for("api.jobs.get_job", job_id=job.id)
    response.headers["Retry-After"] = "1"
    return response
