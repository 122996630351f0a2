"""Connects to the database: SQLite in WAL mode by default, PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import URL, Connection, CursorResult, Engine, Executable, create_engine, event, make_url
from sqlalchemy.orm import Session

# How long a writer waits for another's transaction, which takes milliseconds unless the disk hangs.
BUSY_TIMEOUT_SECONDS = 30


class Database:
    """Sessions for reading and for writing. Thread-safe, but not to be shared across a fork.

    On SQLite a write takes the lock at its start (`BEGIN IMMEDIATE`), so that two writers queue up rather
    than fail at commit, and a commit is on disk when it returns (`synchronous=FULL`).
    """

    def __init__(self, url: str | URL) -> None:
        self.engine = _create_engine(url)
        self._writing = self.engine.execution_options(tenfold_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits at the end of the block and rolls back on any exception."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def exclusive_connection(self) -> Iterator[Connection]:
        """A transaction for changing the schema: one at a time across all processes."""
        with self._writing.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(781225)")
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def make_private(path: Path) -> None:
    """Restrict a SQLite file to its owner (mode 0600), since it holds password hashes and secrets. Create it if
    missing.

    SQLite gives the files beside it the same mode. An existing file is never opened here: closing it would release all
    locks that this process holds on it (https://www.sqlite.org/howtocorrupt.html, section 2.2), and another process
    could remove the log that is still read.
    """
    with suppress(OSError):  # not our file or folder: connecting will say so
        if not path.exists():
            _make_empty(path)
        for suffix in ("", "-wal", "-shm"):
            beside = path.with_name(path.name + suffix)
            if beside.exists() and beside.stat().st_mode & 0o077:
                beside.chmod(0o600)


def _make_empty(path: Path) -> None:
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    new.touch(mode=0o600, exist_ok=False)
    try:
        path.hardlink_to(new)
    finally:
        new.unlink()


def rows_changed(session: Session, statement: Executable) -> int:
    """Run an UPDATE or DELETE; return the number of rows. A conditional transition has happened if it is not 0."""
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def _create_engine(given: str | URL) -> Engine:
    url = make_url(given)
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        return _create_postgresql(url)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})

    @event.listens_for(engine, "do_connect")
    def keep_from_others(*_: object) -> None:
        if url.database and url.database != ":memory:":
            make_private(Path(url.database))

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("tenfold_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _create_postgresql(url: URL) -> Engine:
    try:
        from psycopg.types.string import StrDumper
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("PostgreSQL needs a driver: pip install 'tenfold[postgres]'.") from error

    class WithoutNul(StrDumper):
        """Replaces NUL by U+FFFD, since PostgreSQL cannot store NUL in text."""

        def dump(self, text: str) -> Any:
            return super().dump(text.replace("\0", "\ufffd"))

    # Replaces connections that the server has dropped before they are used.
    engine = create_engine(url, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.adapters.register_dumper(str, WithoutNul)

    return engine
