"""Measures all parts, one after the other, into rows that say of which part and on which database they are."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.scale import bare, contention, lives, looks, messages
from benchmarks.scale.extent import Extent
from benchmarks.scale.farm import running_farm
from benchmarks.scale.seeding import add_waiting_jobs
from benchmarks.scale.servers import RunningRedis, new_database, running_postgres, running_redis
from benchmarks.scale.sizes import database_bytes
from benchmarks.scale.throughput import Bench
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.database import Database
from tenfold.worker.services import Services
from tests.postgres import Postgres

Row = dict[str, Any]


def measure(extent: Extent, databases: tuple[str, ...]) -> Iterator[Row]:
    """The rows as they are found. Everything runs on servers of its own, in temporary directories."""
    with running_redis() as redis:
        yield from _of("messages", messages.measure(redis.url, extent.messages, extent.seconds))
        for name in databases:
            with ExitStack() as stack:
                postgres = stack.enter_context(running_postgres()) if name == "postgresql" else None
                for row in _on_database(extent, redis, postgres):
                    yield {"database": name} | row


def _on_database(extent: Extent, redis: RunningRedis, postgres: Postgres | None) -> Iterator[Row]:
    for rows in extent.rows:
        with new_database(postgres) as url:
            for row in _beside_rows(rows, url, redis, extent):
                yield {"rows": rows} | row
    with new_database(postgres) as url:
        yield from _of("contention", contention.measure(url, extent.claimants, extent.seconds))
    with new_database(postgres) as url:
        yield from _workers(extent, url, redis, postgres)


def _beside_rows(rows: int, url: str, redis: RunningRedis, extent: Extent) -> Iterator[Row]:
    database = Database(url)
    bare.make_table(database, 1)
    empty = database_bytes(database)
    add_waiting_jobs(database, rows)
    if rows:
        yield {"part": "sizes", "what": "rows of a waiting job", "bytes": (database_bytes(database) - empty) / rows}
    yield from _of("lives", lives.measure(database, 3 * extent.seconds))
    database.close()
    if rows == max(extent.rows):
        with TemporaryDirectory() as data:
            settings = WebSettings(data=Path(data), database_url=url, redis_url=redis.url)
            yield from _of("looks", looks.measure(settings, extent.seconds))


def _workers(extent: Extent, url: str, redis: RunningRedis, postgres: Postgres | None) -> Iterator[Row]:
    with TemporaryDirectory() as data:
        services = Services.open(WebSettings(data=Path(data), database_url=url, redis_url=redis.url))
        parts = {"redis": redis.process}
        if postgres is not None:
            parts["database"] = psutil.Process(postgres.pid)
        with running_farm(services) as farm:
            bench = Bench(services, farm, parts)
            yield from _of("overheads", bench.overheads(extent.run_seconds))
            yield from _of("workers", bench.curve("spin", extent.shard_ms, extent.spinners, extent.run_seconds))
        with running_farm(services) as farm:  # one of its own, since a farm does not shrink
            bench = Bench(services, farm, parts)
            yield from _of("workers", bench.curve("sleep", extent.shard_ms, extent.sleepers, extent.run_seconds))
        services.database.close()


def _of(part: str, rows: list[Row]) -> Iterator[Row]:
    for row in rows:
        yield {"part": part} | row
