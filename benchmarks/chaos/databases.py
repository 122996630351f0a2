"""The two databases, and how each one's connections break."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from tests.postgres import Postgres


class BreakableDatabase(Protocol):
    """A database for one run. `url` is what Tenfold is given; None for its default, SQLite on the volume."""

    url: str | None

    def break_for(self, seconds: float) -> None:
        """Nobody gets on with it for so long."""


class SqliteFile:
    """The file on the volume: somebody else holds the lock for writing."""

    url: str | None = None

    def __init__(self, data: Path) -> None:
        self._file = data / "tenfold.db"

    def break_for(self, seconds: float) -> None:
        with closing(sqlite3.connect(self._file, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")


class PostgresServer:
    """A server of its own, which ends every connection again and again."""

    def __init__(self, server: Postgres) -> None:
        url = server.new_database(empty=True)
        self.url: str | None = url
        self._break = partial(server.drop_connections, url)

    def break_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._break()
            time.sleep(0.2)


@contextmanager
def open_database(name: str, data: Path) -> Iterator[BreakableDatabase]:
    """The database of this name, `sqlite` or `postgresql`, for as long as the block runs.

    Raises:
        PostgresMissing: there is no PostgreSQL server program.
    """
    if name == "sqlite":
        yield SqliteFile(data)
        return
    with TemporaryDirectory(prefix="tenfold-chaos-postgres-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)  # the server runs as another user
        server = Postgres(Path(directory))
        server.start()
        try:
            yield PostgresServer(server)
        finally:
            server.stop()
