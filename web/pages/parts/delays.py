"""The warning at the top of every page while Redis is unavailable: jobs are accepted but do not start."""

import time

from flask import Flask
from redis.exceptions import RedisError

from tenfold.web.core.services import services
from tenfold.worker.db.states import JobKind

# Redis is asked no more often than this, so that not every page waits while it does not respond.
CHECK_SECONDS = 2.0

UNAVAILABLE = "Redis is unavailable. Jobs start when it is back; single images cannot be classified."


def register_delays(app: Flask) -> None:
    """Give templates `delay()`: the warning, or None."""
    known: tuple[float, str | None] = (-CHECK_SECONDS, None)

    def delay() -> str | None:
        nonlocal known
        if time.monotonic() - known[0] >= CHECK_SECONDS:
            known = (time.monotonic(), _delay())
        return known[1]

    app.jinja_env.globals["delay"] = delay


def _delay() -> str | None:
    try:
        services().queue.waiting(JobKind.TRAINING)
    except RedisError:
        return UNAVAILABLE
    return None
