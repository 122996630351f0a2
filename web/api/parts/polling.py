"""Limits the polls (`?wait=`) and streams that are held open."""

import threading
import time
from collections.abc import Callable
from typing import cast

from flask import current_app

CHECK_EVERY_SECONDS = 0.25

LONG_POLL_SLOTS = "tenfold-long-poll-slots"


class LongPollSlots:
    """Slots for polls and streams that are held open, so that they never occupy every thread of the server."""

    def __init__(self, slots: int) -> None:
        self._slots = threading.BoundedSemaphore(slots) if slots else None

    def wait(self, changed: Callable[[], bool], seconds: float) -> None:
        """Return when `changed()` is true or the time is up; immediately if no slot is free."""
        if not self.enter():
            return
        try:
            deadline = time.monotonic() + seconds
            while not changed() and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(CHECK_EVERY_SECONDS, left))
        finally:
            self.leave()

    def enter(self) -> bool:
        """Take a slot; False if none is free."""
        return self._slots is not None and self._slots.acquire(blocking=False)

    def leave(self) -> None:
        """Free the slot."""
        assert self._slots is not None
        self._slots.release()


def long_poll_slots() -> LongPollSlots:
    """The slots of the current application."""
    return cast(LongPollSlots, current_app.extensions[LONG_POLL_SLOTS])
