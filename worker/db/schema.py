"""Migrates the database to this version's tables.

`python -m tenfold.worker.db.schema "what changes"` drafts a new migration.
"""

import logging
import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from tenfold.worker.db.database import Database
from tenfold.worker.errors import DatabaseTooNew
from tenfold.worker.settings import Settings

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0

# How long to wait for a database that is restarting.
START_SECONDS = 30.0


def migrate(database: Database) -> None:
    """Apply every missing migration. If several processes start together, one migrates and the others wait."""
    with database.exclusive_connection() as connection:
        upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate the tables to this revision, in the connection's transaction. Tables of a later version are left as they
    are if this version can use them, as during a rolling upgrade.

    Raises:
        DatabaseTooNew: a later version of Tenfold has migrated the tables, and this one cannot use them.
    """
    now = current_revision(connection)
    if now is None or now in _known():
        command.upgrade(_config(connection), revision)
    elif is_usable(connection):
        log.warning("the database is at revision %s, of a later version of Tenfold, which this one can use", now)
    else:
        raise DatabaseTooNew(
            f"A later version of Tenfold has migrated the database to revision {now}, which this version cannot use. "
            "Run the later version, or restore an older backup into an empty database (docs/operations/maintenance.md)."
        )


def is_usable(connection: Connection) -> bool:
    """Whether this version can use the tables as they are: they are its own, or those of a later version that keeps
    what it needs."""
    now = current_revision(connection)
    return now == newest_revision() or (
        now is not None and now not in _known() and _usable_since(connection) in _known()
    )


def current_revision(connection: Connection) -> str | None:
    """The last migration that was applied; None if none was."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The last migration that this version knows."""
    return str(_scripts().get_current_head())


def prepare_database(database: Database, settings: Settings) -> None:
    """Migrate the tables when a process starts, or wait until another has.

    Raises:
        OperationalError: the database was away for START_SECONDS.
    """
    if settings.migrate_at_start:
        _migrate_when_it_answers(database)
        return
    said = None
    while reason := why_not_usable(database):
        if reason != said:
            log.info("waiting: %s", reason)
            said = reason
        time.sleep(WAIT_SECONDS)


def _migrate_when_it_answers(database: Database) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            migrate(database)
            return
        except OperationalError as error:
            if time.monotonic() >= give_up_at:
                raise
            log.warning("the database is away, will try again: %s", error.orig)
            time.sleep(WAIT_SECONDS)


def why_not_usable(database: Database) -> str | None:
    """Why this version cannot use the database as it is, and what to do; None if it can."""
    try:
        with database.engine.connect() as connection:
            if is_usable(connection):
                return None
            now = current_revision(connection)
    except OperationalError as error:
        return f"the database is away: {error.orig}"
    if now is not None and now not in _known():
        return f"the database is at revision {now}, of a later version of Tenfold; upgrade this one"
    return (
        f"the database {f'is at revision {now}' if now else 'has no tables'}, and this version needs "
        f"{newest_revision()}; run `tenfold-migrate`"
    )


def draft_migration(database: Database, message: str) -> None:
    """Write a migration file from the difference between `records.py` and the migrated database."""
    with database.exclusive_connection() as connection:
        known = sorted((Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{len(known) + 1:04d}")


def _known() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}


def _usable_since(connection: Connection) -> str | None:
    """The oldest revision whose version can use the tables; None if the tables do not say."""
    columns = {column["name"] for column in inspect(connection).get_columns("alembic_version")}
    if "usable_since" not in columns:
        return None
    usable_since: str | None = connection.scalar(text("SELECT usable_since FROM alembic_version"))
    return usable_since


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config()
    # In Alembic's configuration % is special.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    database = Database(Settings().resolved_database_url)
    migrate(database)
    draft_migration(database, sys.argv[1])
