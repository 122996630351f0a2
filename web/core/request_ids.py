"""An ID for each request, in its answer, in the log and in every error.

A caller or proxy may set it with the header `X-Request-ID` if it is safe to log.
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
    """The ID of the current request."""
    environ: dict[str, Any] = request.environ
    if _KEY not in environ:
        given = request.headers.get(HEADER, "")
        environ[_KEY] = given if ACCEPTED.fullmatch(given) else uuid4().hex
    return str(environ[_KEY])


def request_id_in(environ: Mapping[str, Any]) -> str | None:
    """The ID of a request that has been answered, from its WSGI environment."""
    return environ.get(_KEY)


def add_request_ids(app: Flask) -> None:
    """Add the header to every answer."""

    def add(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response

    app.after_request(add)


def add_request_id(record: logging.LogRecord) -> bool:
    """A logging filter that adds the ID of the current request as a field."""
    if has_request_context():
        record.request_id = request_id()
    return True
