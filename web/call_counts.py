"""How many calls each caller has made in this minute, to all webs together: counted here, and summed in Redis a few
times a second, so that few calls wait for it."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

# What other webs have counted is known this late: by so much of time a caller of several webs may exceed their bound.
SUM_EVERY_SECONDS = 0.25


@dataclass
class _Count:
    """`summed` is what Redis last said of all webs, `own` what has been counted here since."""

    summed: int = 0
    own: int = 0


class CallCounts:
    """Counts of one window of time after another; safe to use from many threads.

    Args:
        redis: where the counts of all webs are summed.
        window_seconds: after so long everybody begins at nought.
        clock: seconds since the epoch, by which all webs begin a window together.
    """

    def __init__(self, redis: Redis, window_seconds: int, clock: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._window_seconds = window_seconds
        self._clock = clock
        self._counting = threading.Lock()
        self._summing = threading.Lock()
        self._sum_at = 0.0
        self._window = 0
        self._counts: dict[str, _Count] = {}
        self._redis_answers = False

    def add(self, caller: str) -> int | None:
        """Count a call, and say how many there are in this window; None where Redis is away."""
        now = self._clock()
        with self._counting:
            if (window := int(now // self._window_seconds)) != self._window:
                self._window, self._counts = window, {}
            is_new = caller not in self._counts
            count = self._counts.setdefault(caller, _Count())
            count.own += 1
        if (is_new or now >= self._sum_at) and self._summing.acquire(blocking=False):
            try:
                self._sum_at = now + SUM_EVERY_SECONDS
                self._sum()
            finally:
                self._summing.release()
        return count.summed + count.own if self._redis_answers else None

    def seconds_left(self) -> int:
        """How soon the next window begins, rounded up so that whoever waits for it comes within it."""
        return math.ceil(self._window_seconds - self._clock() % self._window_seconds)

    def _sum(self) -> None:
        """Tell Redis what has been counted here, and learn what has been counted everywhere."""
        with self._counting:
            window = self._window
            told = [(name, count, count.own) for name, count in self._counts.items() if count.own]
        pipeline = self._redis.pipeline(transaction=False)
        for name, _, calls in told:
            key = f"tenfold:rate:{name}:{window}"
            pipeline.incrby(key, calls)
            pipeline.expire(key, self._window_seconds)
        try:
            sums = pipeline.execute()[::2]
        except RedisError:
            self._redis_answers = False
            return
        with self._counting:
            for (_, count, calls), summed in zip(told, sums, strict=True):
                count.summed = int(summed)
                count.own -= calls
        self._redis_answers = True
