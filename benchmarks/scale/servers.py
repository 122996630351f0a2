"""A Redis, a SQLite file and a PostgreSQL of the benchmark's own, as durable as in earnest."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tenfold.web.local.redis_server import redis_command, redis_url_in, wait_until_answering
from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate
from tests.postgres import Postgres

# Unlike the tests' cluster, this one writes each commit to the disk.
POSTGRES_OPTIONS = ("max_connections=200", "timezone=UTC")


@dataclass(frozen=True)
class RunningRedis:
    """A Redis, and its process to look at."""

    url: str
    process: psutil.Process


@contextmanager
def running_redis() -> Iterator[RunningRedis]:
    with TemporaryDirectory() as directory:
        url = redis_url_in(Path(directory))
        server = subprocess.Popen(redis_command(Path(directory)), stdout=subprocess.DEVNULL)
        try:
            wait_until_answering(url, server)
            yield RunningRedis(url, psutil.Process(server.pid))
        finally:
            server.terminate()
            server.wait()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """
    Raises:
        PostgresMissing: there is none on this machine.
    """
    # The user that PostgreSQL runs as must reach it.
    with TemporaryDirectory(prefix="tenfold-postgres-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        server = Postgres(Path(directory), POSTGRES_OPTIONS)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def new_database(postgres: Postgres | None) -> Iterator[str]:
    """The URL of an empty, migrated database: on that PostgreSQL, or a SQLite file where there is none."""
    if postgres is not None:
        url = postgres.new_database()
        yield url
        postgres.drop(url)
        return
    with TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/tenfold.db"
        database = Database(url)
        migrate(database)
        database.close()
        yield url
