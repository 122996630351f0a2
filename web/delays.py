"""What is delayed just now, for the head of every page: without Redis jobs are taken in and do not start."""

import time

from flask import Flask
from redis.exceptions import RedisError

from web.services import services
from worker.states import JobKind

# A page asks Redis no more often than this, so that many pages do not each wait for one that does not answer.
KNOWN_SECONDS = 2.0

AWAY = "Redis is away. Jobs are taken in and start when it is back; single images wait until then."


def register_delays(app: Flask) -> None:
    """Give templates `delay()`: what to tell, or None."""
    known: tuple[float, str | None] = (-KNOWN_SECONDS, None)

    def delay() -> str | None:
        nonlocal known
        if time.monotonic() - known[0] >= KNOWN_SECONDS:
            known = (time.monotonic(), _delay())
        return known[1]

    app.jinja_env.globals["delay"] = delay


def _delay() -> str | None:
    try:
        services().queue.waiting(JobKind.TRAINING)
    except RedisError:
        return AWAY
    return None
