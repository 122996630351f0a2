"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

# How long a test waits for something before it counts as hanging; never a claim about speed. Long enough for a process
# that loads TensorFlow on a machine with many others.
PATIENCE_SECONDS = 300
PATIENCE_MS = PATIENCE_SECONDS * 1000
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
