"""The clock that leases are compared with. All processes must agree on it, and the clocks of machines may differ by
hours, so it is the database server's. With SQLite all processes share one machine and its clock."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from tenfold.worker.db.database import Database

# Seconds since the epoch.
Clock = Callable[[], float]

# In this time clocks drift apart by far less than a lease lasts.
ASK_EVERY_SECONDS = 10.0


def clock_of(database: Database) -> Clock:
    """The clock for all processes that use this database."""
    return ServerClock(database) if database.engine.dialect.name == "postgresql" else time.time


class ServerClock:
    """PostgreSQL's clock, read every `ASK_EVERY_SECONDS` and extrapolated in between. Thread-safe.

    Raises:
        SQLAlchemyError: the server is away, and its clock was never read.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = threading.Lock()
        self._asked_at = float("-inf")
        self._ahead: float | None = None
        # Now, while no thread holds a connection that another may wait for.
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
    """Seconds since the machine started, including sleep. Unlike the wall clock, it cannot be set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
