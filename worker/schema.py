"""Brings the database's tables to this version's shape. New migrations: `python -m worker.schema "what changes"`."""

import logging
import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from worker.database import Database
from worker.errors import DatabaseTooNew
from worker.logs import configure_logging
from worker.settings import Settings
from worker.storage.opening import open_volume

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0


def migrate(database: Database) -> None:
    """Apply every migration that is missing. Of several processes at once, one does it and the others wait."""
    with database.exclusive_connection() as connection:
        upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to this revision's shape, inside the connection's transaction.

    Raises:
        DatabaseTooNew: a later version of Tenfold has been here.
    """
    now = current_revision(connection)
    if now is not None and now not in {script.revision for script in _scripts().walk_revisions()}:
        raise DatabaseTooNew(
            f"The database has been brought to revision {now} by a later version of Tenfold than this one. Run that "
            "version, or restore a backup of before into an empty database (docs/upkeep.md)."
        )
    command.upgrade(_config(connection), revision)


def current_revision(connection: Connection) -> str | None:
    """The last migration that was applied; None where there was none."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The last migration that this version knows."""
    return str(_scripts().get_current_head())


def prepare_database(database: Database, settings: Settings) -> None:
    """What a process does about the tables when it starts: migrate, or wait for whoever does."""
    if settings.migrate_at_start:
        migrate(database)
        return
    while not is_migrated(database):
        log.info("waiting for `tenfold-migrate` to bring the database to this version's shape")
        time.sleep(WAIT_SECONDS)


def is_migrated(database: Database) -> bool:
    """Whether the tables have this version's shape. False also while the database cannot be reached."""
    try:
        with database.engine.connect() as connection:
            return current_revision(connection) == newest_revision()
    except OperationalError as error:
        log.warning("the database is away: %s", error.orig)
        return False


def draft_migration(database: Database, message: str) -> None:
    """Write a migration file from the difference between `records.py` and the migrated database."""
    with database.exclusive_connection() as connection:
        known = sorted((Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{len(known) + 1:04d}")


def main() -> None:
    """`tenfold-migrate`: apply every migration that is missing, and end."""
    settings = Settings()
    configure_logging(settings.log_format)
    open_volume(settings).create()
    database = Database(settings.resolved_database_url)
    migrate(database)
    database.close()
    log.info("the database has this version's shape")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    database = Database(Settings().resolved_database_url)
    migrate(database)
    draft_migration(database, sys.argv[1])
