"""Bounds how often somebody may try to sign in, whatever comes of it."""

import hashlib
import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from worker.redis import connect_redis

# Of one name from all addresses together, for one of them. An address has no bound of its own: behind a proxy or a
# router it is everybody's, and one who guesses would lock out all.
ADDRESSES_OF_A_NAME = 10


class SignInThrottle:
    """Counts in Redis, so for all web processes together; while Redis is away, in this one.

    Both forget after the window.

    Args:
        tries: how often one name may be tried from one address within the window.
        window_seconds: for how long a try counts.
    """

    def __init__(self, redis_url: str, *, tries: int, window_seconds: int) -> None:
        self._by_name = RateLimitItemPerSecond(tries, window_seconds, "tenfold-sign-in")
        self._by_name_anywhere = RateLimitItemPerSecond(tries * ADDRESSES_OF_A_NAME, window_seconds, "tenfold-sign-in")
        pool = connect_redis(redis_url).connection_pool
        self._shared = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))
        self._own = FixedWindowRateLimiter(MemoryStorage())

    def seconds_to_wait(self, name: str, address: str) -> int:
        """Count a try; 0 if it may be, else how soon another may."""
        try:
            return self._hit(self._shared, name, address)
        except (RedisError, OSError):
            return self._hit(self._own, name, address)

    def forgive(self, name: str, address: str) -> None:
        """The tries for this name turned out well."""
        try:
            self._clear(self._shared, name, address)
        except (RedisError, OSError):
            self._clear(self._own, name, address)

    def _clear(self, limiter: FixedWindowRateLimiter, name: str, address: str) -> None:
        limiter.clear(self._by_name, address, _short(name))
        limiter.clear(self._by_name_anywhere, _short(name))

    def _hit(self, limiter: FixedWindowRateLimiter, name: str, address: str) -> int:
        for item, counted in ((self._by_name, (address, _short(name))), (self._by_name_anywhere, (_short(name),))):
            if not limiter.hit(item, *counted):
                return max(1, math.ceil(limiter.get_window_stats(item, *counted).reset_time - time.time()))
        return 0


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
