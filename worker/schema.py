"""Brings the database's tables to this version's shape. New migrations: `python -m worker.schema "what changes"`."""

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

from worker.database import Database
from worker.errors import DatabaseTooNew
from worker.logs import configure_logging
from worker.settings import Settings, settings_or_exit
from worker.storage.opening import open_volume

log = logging.getLogger(__name__)

WAIT_SECONDS = 1.0

# A database that is restarted, or has broken a connection, is back within this.
START_SECONDS = 30.0


def migrate(database: Database) -> None:
    """Apply every migration that is missing. Of several processes at once, one does it and the others wait."""
    with database.exclusive_connection() as connection:
        upgrade(connection)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to this revision's shape, inside the connection's transaction. Those of a later version stay as
    they are where they are of use to this one too, as in the course of an update.

    Raises:
        DatabaseTooNew: a later version of Tenfold has been here, and has taken away what this one needs.
    """
    now = current_revision(connection)
    if now is None or now in _known():
        command.upgrade(_config(connection), revision)
    elif is_usable(connection):
        log.warning("the database is at revision %s, of a later version of Tenfold; this one can go on with it", now)
    else:
        raise DatabaseTooNew(
            f"The database has been brought to revision {now} by a later version of Tenfold, and this one cannot use "
            "it. Run that version, or restore a backup of before into an empty database (docs/upkeep.md)."
        )


def is_usable(connection: Connection) -> bool:
    """Whether this version can use the tables as they are: they have its shape, or a later one that leaves it all that
    it needs."""
    now = current_revision(connection)
    return now == newest_revision() or (
        now is not None and now not in _known() and _usable_since(connection) in _known()
    )


def current_revision(connection: Connection) -> str | None:
    """The last migration that was applied; None where there was none."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The last migration that this version knows."""
    return str(_scripts().get_current_head())


def prepare_database(database: Database, settings: Settings) -> None:
    """What a process does about the tables when it starts: migrate, or wait for whoever does.

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
    """Why this version cannot begin with the database as it is, and what to do; None where it can."""
    try:
        with database.engine.connect() as connection:
            if is_usable(connection):
                return None
            now = current_revision(connection)
    except OperationalError as error:
        return f"the database is away: {error.orig}"
    if now is not None and now not in _known():
        return (
            f"the database is at revision {now}, of a later version of Tenfold that this one cannot go with; update it"
        )
    return (
        f"the database {f'is at revision {now}' if now else 'has no tables'}, and this version needs "
        f"{newest_revision()}; run `tenfold-migrate`"
    )


def draft_migration(database: Database, message: str) -> None:
    """Write a migration file from the difference between `records.py` and the migrated database."""
    with database.exclusive_connection() as connection:
        known = sorted((Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{len(known) + 1:04d}")


def main() -> None:
    """`tenfold-migrate`: apply every migration that is missing, and end."""
    settings = settings_or_exit(Settings)
    configure_logging(settings.log_format)
    open_volume(settings).create()
    database = Database(settings.resolved_database_url)
    migrate(database)
    database.close()
    log.info("the database has this version's shape")


def _known() -> set[str]:
    return {script.revision for script in _scripts().walk_revisions()}


def _usable_since(connection: Connection) -> str | None:
    """From which revision on a version can use the tables; None where the tables do not say."""
    columns = {column["name"] for column in inspect(connection).get_columns("alembic_version")}
    if "usable_since" not in columns:
        return None
    usable_since: str | None = connection.scalar(text("SELECT usable_since FROM alembic_version"))
    return usable_since


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config()
    # Alembic takes a single % for a reference to another option.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    database = Database(Settings().resolved_database_url)
    migrate(database)
    draft_migration(database, sys.argv[1])
