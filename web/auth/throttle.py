"""Limits sign-in attempts, by user name and address.

Flask-Limiter is not used: it limits routes, and has neither two limits by the form's user name nor a reset after a
success. Its own basis, `limits`, has both.
"""

import hashlib
import math
import time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from tenfold.worker.redis import connect_redis

# Attempts for a name from all addresses together, as a multiple of those from one address. An address alone has no
# limit: many people share one behind a proxy or router, and one attacker would lock all of them out.
ADDRESSES_OF_A_NAME = 10

THROTTLE = "tenfold-sign-in-throttle"


class SignInThrottle:
    """Counts in Redis, for all web processes together; while Redis is unavailable, in this process.

    Args:
        tries: attempts for one name from one address within the window.
        window_seconds: how long an attempt counts.
    """

    def __init__(self, redis_url: str, *, tries: int, window_seconds: int) -> None:
        self._by_name = RateLimitItemPerSecond(tries, window_seconds, "tenfold-sign-in")
        self._by_name_anywhere = RateLimitItemPerSecond(tries * ADDRESSES_OF_A_NAME, window_seconds, "tenfold-sign-in")
        pool = connect_redis(redis_url).connection_pool
        self._shared = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))
        self._own = FixedWindowRateLimiter(MemoryStorage())

    def seconds_to_wait(self, name: str, address: str) -> int:
        """Count an attempt; 0 if it is allowed, else the seconds until the next one is."""
        try:
            return self._hit(self._shared, name, address)
        except (RedisError, OSError):
            return self._hit(self._own, name, address)

    def forgive(self, name: str, address: str) -> None:
        """Reset the count after a successful sign-in."""
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
