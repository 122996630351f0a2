"""Live figures of running steps, in Redis: cheap to write many times a second and cheap to poll.

They are best effort. When Redis is away nothing is written and nothing read, and the job's row still answers.
"""

import json
import logging
import time
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# Figures of a step whose worker died are of no use after this long.
EXPIRE_SECONDS = 3600


# The field beside those of the steps: when any of them was last heard of, in seconds since the epoch.
HEARD_AT = "heard_at"


class Live(NamedTuple):
    """Units done by the steps that run now, their details merged, and when one of them was last heard of."""

    done: float
    detail: dict[str, Any]
    at: float | None


NOTHING_LIVE = Live(0, {}, None)


class LiveFigures:
    """One hash for each job, one field for each of its running steps: `{"done": 5, "detail": {…}}`.

    Args:
        redis: where the figures are kept.
        interval_seconds: `publish` does nothing when the last write is less than this ago.
    """

    def __init__(self, redis: Redis, interval_seconds: float = 0.5) -> None:
        self._redis = redis
        self._interval_seconds = interval_seconds
        self._last_write = 0.0

    def publish(self, job_id: str, step_id: int, done: float, detail: dict[str, Any] | None = None) -> None:
        """Say how far a step is: `done` of the job's units by this step alone, and what else it has to tell."""
        now = time.monotonic()
        if now - self._last_write < self._interval_seconds:
            return
        self._last_write = now
        try:
            pipeline = self._redis.pipeline(transaction=False)
            figures = json.dumps({"done": done, "detail": detail or {}})
            pipeline.hset(_key(job_id), mapping={str(step_id): figures, HEARD_AT: time.time()})
            pipeline.expire(_key(job_id), EXPIRE_SECONDS)
            pipeline.execute()
        except RedisError as error:
            log.debug("live figures not written: %s", error)

    def clear(self, job_id: str, step_id: int) -> None:
        """Forget a step's figures: its row has taken over."""
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hdel(_key(job_id), str(step_id))
            pipeline.hset(_key(job_id), HEARD_AT, str(time.time()))
            pipeline.expire(_key(job_id), EXPIRE_SECONDS)
            pipeline.execute()
        except RedisError as error:
            log.debug("live figures not cleared: %s", error)

    def read(self, job_id: str) -> Live:
        """What the job's running steps have told."""
        try:
            fields = cast(dict[str, str], self._redis.hgetall(_key(job_id)))
        except RedisError as error:
            log.debug("live figures not read: %s", error)
            return NOTHING_LIVE
        heard_at = fields.pop(HEARD_AT, None)
        figures = [json.loads(value) for value in fields.values()]
        detail: dict[str, Any] = {}
        for figure in figures:
            detail |= figure["detail"]
        return Live(sum(figure["done"] for figure in figures), detail, None if heard_at is None else float(heard_at))


def _key(job_id: str) -> str:
    return f"tenfold:progress:{job_id}"
