"""Live progress of running steps, in Redis: cheap to write often and cheap to poll.

It is best effort: without Redis nothing is written or read, and the job's row still has the progress.
"""

import json
import logging
import time
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# How long the progress of a dead worker is kept.
EXPIRE_SECONDS = 3600


# The time of the last report of any step, in seconds since the epoch.
HEARD_AT = "heard_at"


class Live(NamedTuple):
    """Units done by the running steps, their merged details, and the time of the last report."""

    done: float
    detail: dict[str, Any]
    at: float | None


NOTHING_LIVE = Live(0, {}, None)


class LiveProgress:
    """One hash for each job, one field for each of its running steps: `{"done": 5, "detail": {…}}`.

    Args:
        redis: where progress is kept.
        interval_seconds: `publish` does nothing if the last write was less than this ago.
    """

    def __init__(self, redis: Redis, interval_seconds: float = 0.5) -> None:
        self._redis = redis
        self._interval_seconds = interval_seconds
        self._last_write = 0.0

    def publish(self, job_id: str, step_id: int, done: float, detail: dict[str, Any] | None = None) -> None:
        """Report a step's progress: the units of the job that this step has done, and other details."""
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
            log.debug("live progress not written: %s", error)

    def clear(self, job_id: str, step_id: int) -> None:
        """Remove a step's progress, since the job's row now has it."""
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hdel(_key(job_id), str(step_id))
            pipeline.hset(_key(job_id), HEARD_AT, str(time.time()))
            pipeline.expire(_key(job_id), EXPIRE_SECONDS)
            pipeline.execute()
        except RedisError as error:
            log.debug("live progress not cleared: %s", error)

    def read(self, job_id: str) -> Live:
        """The progress of the job's running steps."""
        try:
            fields = cast(dict[str, str], self._redis.hgetall(_key(job_id)))
        except RedisError as error:
            log.debug("live progress not read: %s", error)
            return NOTHING_LIVE
        heard_at = fields.pop(HEARD_AT, None)
        figures = [json.loads(value) for value in fields.values()]
        detail: dict[str, Any] = {}
        for figure in figures:
            detail |= figure["detail"]
        return Live(sum(figure["done"] for figure in figures), detail, None if heard_at is None else float(heard_at))


def _key(job_id: str) -> str:
    return f"tenfold:progress:{job_id}"
