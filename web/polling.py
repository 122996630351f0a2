"""Polls and streams that are held open: `?wait=` to be told of a change."""

import threading
import time
from collections.abc import Callable
from typing import cast

from flask import current_app

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
