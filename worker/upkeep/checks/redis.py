"""Redis: whether it answers, which it is, and that it never drops the queue to make room."""

import time
from collections.abc import Iterator
from typing import Any

from redis.exceptions import RedisError

from worker.redis import RedisAddress, connect_redis
from worker.settings import Settings
from worker.upkeep.checks.clock import compare
from worker.upkeep.checks.finding import Finding, fail, ok, warn

OLDEST = (6, 2)


def check_redis(settings: Settings) -> Iterator[Finding]:
    try:
        where = RedisAddress.parse(settings.redis_url).text
        redis = connect_redis(settings.redis_url)
    except ValueError as error:
        yield fail("redis", str(error), "Correct TENFOLD_REDIS_URL (docs/redis.md).")
        return
    try:
        info = redis.info()
        yield _version(where, info)
        yield _policy(info)
        before = time.time()
        seconds, microseconds = redis.time()
        yield compare("clock of redis", seconds + microseconds / 1e6, before, time.time())
    except RedisError as error:
        yield fail(
            "redis",
            f"{where} does not answer: {error}",
            "Start it, and check TENFOLD_REDIS_URL, the password and the network. Jobs are taken in meanwhile.",
        )
    finally:
        redis.close()


def _version(where: str, info: dict[str, Any]) -> Finding:
    number = str(info.get("valkey_version") or info["redis_version"])
    name = "Valkey" if "valkey_version" in info else "Redis"
    if tuple(map(int, number.split(".")[:2])) < OLDEST:
        return warn("redis", f"{where} is {name} {number}", "Tenfold is tested from Redis 6.2 on: update it.")
    return ok("redis", f"{where} answers, {name} {number}")


def _policy(info: dict[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction":
        return ok("redis memory", "nothing is dropped when it is full (noeviction)")
    said = f"maxmemory-policy is {policy}"
    remedy = "Set `maxmemory-policy noeviction`: a full Redis would drop the queue, and the healer refill it for ever."
    return fail("redis memory", said, remedy) if info.get("maxmemory") else warn("redis memory", said, remedy)
