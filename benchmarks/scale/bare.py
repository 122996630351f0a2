"""The least that a durable change costs: one UPDATE of one row and its COMMIT, straight through the driver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tenfold.worker.db.database import Database

TABLE = "benchmark_bare"


def make_table(database: Database, rows: int) -> None:
    """A table of the benchmark's own in the same database, with a row for each of those that update at once."""
    with database.exclusive_connection() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
        for row in range(rows):
            connection.exec_driver_sql(f"INSERT INTO {TABLE} VALUES ({row}, 0)")


@contextmanager
def updating(database: Database, row: int) -> Iterator[Callable[[], object]]:
    """A function that changes the row and commits, on a connection of its own."""
    pooled = database.engine.raw_connection()
    connection: Any = pooled.driver_connection
    sqlite = database.engine.dialect.name == "sqlite"
    if not sqlite:
        connection.autocommit = True  # it would begin a transaction by itself
    begin = "BEGIN IMMEDIATE" if sqlite else "BEGIN"

    def change() -> None:
        connection.execute(begin)
        connection.execute(f"UPDATE {TABLE} SET n = n + 1 WHERE id = {row}")
        connection.execute("COMMIT")

    yield change
    pooled.invalidate()
