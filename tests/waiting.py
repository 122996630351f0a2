"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

# As long as a process may take that loads TensorFlow on a busy machine. No time is a test's claim.
PATIENCE_SECONDS = 120
LOOK_EVERY_SECONDS = 0.02


def until(look: Callable[[], Seen | None], seconds: float = PATIENCE_SECONDS) -> Seen:
    """Look again and again until there is something to see.

    Raises:
        AssertionError: there was nothing for so many seconds.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(LOOK_EVERY_SECONDS)
    raise AssertionError(f"nothing to see in {seconds} s")
