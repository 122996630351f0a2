"""Live figures of running steps, in Redis: cheap to write many times a second and cheap to poll.

They are best effort. When Redis is away nothing is written and nothing read, and the job's row still answers.
"""

import json
import logging
import time
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

# Figures of a step whose worker died are of no use after this long.
EXPIRE_SECONDS = 3600


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
            pipeline.hset(_key(job_id), str(step_id), json.dumps({"done": done, "detail": detail or {}}))
            pipeline.expire(_key(job_id), EXPIRE_SECONDS)
            pipeline.execute()
        except RedisError as error:
            log.debug("live figures not written: %s", error)

    def clear(self, job_id: str, step_id: int) -> None:
        """Forget a step's figures: its row has taken over."""
        try:
            self._redis.hdel(_key(job_id), str(step_id))
        except RedisError as error:
            log.debug("live figures not cleared: %s", error)

    def read(self, job_id: str) -> tuple[float, dict[str, Any]]:
        """Units done by steps that are running now, and their details merged."""
        try:
            fields = cast(dict[str, str], self._redis.hgetall(_key(job_id)))
        except RedisError as error:
            log.debug("live figures not read: %s", error)
            return 0, {}
        figures = [json.loads(value) for value in fields.values()]
        detail: dict[str, Any] = {}
        for figure in figures:
            detail |= figure["detail"]
        return sum(figure["done"] for figure in figures), detail


def _key(job_id: str) -> str:
    return f"tenfold:progress:{job_id}"
