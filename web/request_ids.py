"""A name for each request, in its answer, in the log, and in every error, so that one leads to the other.

A caller or a proxy may choose it by the header `X-Request-ID`, as long as it can stand in a log line.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from flask import Flask, Response, has_request_context, request

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")

_KEY = "tenfold.request_id"


def request_id() -> str:
    """That of the request being answered."""
    environ: dict[str, Any] = request.environ
    if _KEY not in environ:
        given = request.headers.get(HEADER, "")
        environ[_KEY] = given if ACCEPTED.fullmatch(given) else uuid4().hex
    return str(environ[_KEY])


def request_id_in(environ: Mapping[str, Any]) -> str | None:
    """That of a request that has been answered, from its WSGI environment."""
    return environ.get(_KEY)


def name_requests(app: Flask) -> None:
    """Have every answer say its request's ID."""

    def tell(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response

    app.after_request(tell)


def name_the_request(record: logging.LogRecord) -> bool:
    """A logging filter: what is logged while a request is answered has its ID as a field."""
    if has_request_context():
        record.request_id = request_id()
    return True
