"""What time it is. Leases are compared with it, so all processes must have the same: not that of their own machines,
which may differ by hours, but the database server's. SQLite is on one machine, whose clock all processes share."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from worker.database import Database

# Seconds since the epoch.
Clock = Callable[[], float]

# Machines drift apart by far less in this time than leases can bear.
ASK_EVERY_SECONDS = 10.0


def clock_of(database: Database) -> Clock:
    """The clock that everybody who uses this database goes by."""
    return ServerClock(database) if database.engine.dialect.name == "postgresql" else time.time


class ServerClock:
    """PostgreSQL's clock, asked every `ASK_EVERY_SECONDS` and counted on from there. Safe to share between threads.

    Raises:
        SQLAlchemyError: the server is away, and was never asked before.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = threading.Lock()
        self._asked_at = float("-inf")
        self._ahead: float | None = None
        # Now, while nobody holds a connection that others may wait for.
        with suppress(SQLAlchemyError):
            self._ask()

    def __call__(self) -> float:
        if steady() - self._asked_at > ASK_EVERY_SECONDS and self._asking.acquire(blocking=self._ahead is None):
            try:
                self._ask()
            finally:
                self._asking.release()
        assert self._ahead is not None
        return steady() + self._ahead

    def _ask(self) -> None:
        before = steady()
        try:
            with self._database.engine.connect() as connection:
                theirs = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one()
        except SQLAlchemyError:
            if self._ahead is None:
                raise
            return
        self._asked_at = steady()
        self._ahead = float(theirs) - (before + self._asked_at) / 2


def steady() -> float:
    """Seconds since the machine started, asleep or not: nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
