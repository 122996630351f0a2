"""Cheap polling: an ETag for each state of a document, `304` when nothing changed, `?wait=` to be told of a change."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Response, current_app, jsonify, request

CHECK_EVERY_SECONDS = 0.25

WAITING_ROOM = "tenfold-waiting-room"


class WaitingRoom:
    """Bounds how many polls and streams are held open, so that waiting ones never take every thread of the server."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places) if places else None

    def wait(self, changed: Callable[[], bool], seconds: float) -> None:
        """Return when `changed()` is true or the time is up; at once when the room is full."""
        if not self.enter():
            return
        try:
            deadline = time.monotonic() + seconds
            while not changed() and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(CHECK_EVERY_SECONDS, left))
        finally:
            self.leave()

    def enter(self) -> bool:
        """Take a place; False where none is free."""
        return self._places is not None and self._places.acquire(blocking=False)

    def leave(self) -> None:
        """Give the place back."""
        assert self._places is not None
        self._places.release()


def waiting_room() -> WaitingRoom:
    """That of the application that handles this request."""
    return cast(WaitingRoom, current_app.extensions[WAITING_ROOM])


def etag_of(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:24]


def answer_poll(document: Mapping[str, Any], *, retry_after_seconds: int | None) -> Response:
    """The document with its ETag, or `304` if that is what the caller already has.

    The ETag is weak: it names what the document says, however it is compressed on its way.
    """
    response = jsonify(document)
    response.set_etag(etag_of(document), weak=True)
    response.cache_control.no_cache = True
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    response.make_conditional(request)
    return response
