"""Checks the database and Redis: whether they answer, their version, their settings and their clocks."""

import time
from collections.abc import Iterator
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import current_revision, is_usable, newest_revision
from tenfold.worker.models.registry import ModelStore
from tenfold.worker.redis import RedisAddress, connect_redis
from tenfold.worker.settings import Settings
from tenfold.worker.upkeep.findings import Finding, compare_clocks, fail, ok, warn

OLDEST_REDIS = (6, 2)


def check_database(settings: Settings) -> Iterator[Finding]:
    url = settings.resolved_database_url
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and url.database and settings.bucket is None and not settings.root.is_dir():
        yield fail("database", f"{shown} does not exist, because the volume does not", "Fix the volume first.")
        return
    try:
        database = Database(url)
    except ModuleNotFoundError as error:
        yield fail("database", str(error), "Install the driver.")
        return
    try:
        yield from _look(database, shown)
    except SQLAlchemyError as error:
        yield fail(
            "database",
            f"cannot use {shown}: {str(error).splitlines()[0]}",
            "Start it, and check TENFOLD_DATABASE_URL, the password and the network.",
        )
    finally:
        database.close()


def _look(database: Database, shown: str) -> Iterator[Finding]:
    with database.read() as session:
        now = current_revision(session.connection())
        if now == newest_revision():
            yield ok("database", f"{shown}, at this version's revision ({now})")
        elif is_usable(session.connection()):
            yield warn(
                "database",
                f"{shown} is at revision {now} of a later version, which this version can use",
                "Finish the upgrade: install the later version here.",
            )
        elif now is None:
            yield fail("database", f"{shown} has no tables", "Start the web or a worker to create them.")
        else:
            yield fail(
                "database",
                f"{shown} is at revision {now}; this version needs {newest_revision()}",
                "Restart the web or a worker of the newer version to upgrade it.",
            )
        if database.engine.dialect.name == "postgresql":
            before = time.time()
            theirs = session.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            yield compare_clocks("database clock", float(theirs or 0), before, time.time())
    if now == newest_revision():
        yield _production(database)


def _production(database: Database) -> Finding:
    models = ModelStore(database)
    model = models.in_production()
    if model is not None:
        return ok("production model", f"{model.id} ({model.recipe} on {model.dataset})")
    if models.list(limit=1):
        return warn("production model", "none: requests must name a model", "tenfold model promote MODEL")
    return warn("production model", "none: there is no model to classify with", "tenfold train dropout-128 --wait")


def check_redis(settings: Settings) -> Iterator[Finding]:
    try:
        where = RedisAddress.parse(settings.redis_url).text
        redis = connect_redis(settings.redis_url)
    except ValueError as error:
        yield fail("redis", str(error), "Correct TENFOLD_REDIS_URL (docs/operations/redis.md).")
        return
    try:
        info = redis.info()
        yield _redis_version(where, info)
        yield _eviction_policy(info)
        before = time.time()
        seconds, microseconds = redis.time()
        yield compare_clocks("redis clock", seconds + microseconds / 1e6, before, time.time())
    except RedisError as error:
        yield fail(
            "redis",
            f"{where} does not answer: {error}",
            "Start it, and check TENFOLD_REDIS_URL, the password and the network. Jobs are still accepted.",
        )
    finally:
        redis.close()


def _redis_version(where: str, info: dict[str, Any]) -> Finding:
    number = str(info.get("valkey_version") or info["redis_version"])
    found = f"{where}, {'Valkey' if 'valkey_version' in info else 'Redis'} {number}"
    if tuple(map(int, number.split(".")[:2])) < OLDEST_REDIS:
        return warn("redis", found, "Upgrade it: Tenfold is tested with Redis 6.2 and later.")
    return ok("redis", found)


def _eviction_policy(info: dict[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    message = f"maxmemory-policy is {policy}"
    if policy == "noeviction":
        return ok("redis memory", message)
    remedy = "Set `maxmemory-policy noeviction`: otherwise a full Redis evicts the queue."
    return fail("redis memory", message, remedy) if info.get("maxmemory") else warn("redis memory", message, remedy)
