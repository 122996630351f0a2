"""Cheap polling: an ETag for each state of a document, `304` when nothing changed, `?wait=` to be told of a change."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

CHECK_EVERY_SECONDS = 0.25


class WaitingRoom:
    """Bounds how many polls are held open, so that waiting ones never take every thread of the server."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places) if places else None

    def wait(self, changed: Callable[[], bool], seconds: float) -> None:
        """Return when `changed()` is true or the time is up; at once when the room is full."""
        if self._places is None or not self._places.acquire(blocking=False):
            return
        try:
            deadline = time.monotonic() + seconds
            while not changed() and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(CHECK_EVERY_SECONDS, left))
        finally:
            self._places.release()


def etag_of(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:24]


def answer_poll(document: dict[str, Any], *, retry_after_seconds: int | None) -> Response:
    """The document with its ETag, or `304` if that is what the caller already has."""
    response = jsonify(document)
    response.set_etag(etag_of(document))
    response.cache_control.no_cache = True
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    response.make_conditional(request)
    return response
