"""Brings the database's tables to this version's shape. New migrations: `python -m worker.schema "what changes"`."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from worker.database import Database
from worker.settings import Settings


def migrate(database: Database) -> None:
    """Apply every migration that is missing. Of several processes at once, one does it and the others wait."""
    with database.exclusive_connection() as connection:
        command.upgrade(_config(connection), "head")


def draft_migration(database: Database, message: str) -> None:
    """Write a migration file from the difference between `records.py` and the migrated database."""
    with database.exclusive_connection() as connection:
        known = sorted((Path(__file__).parent / "migrations" / "versions").glob("[0-9]*.py"))
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{len(known) + 1:04d}")


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    database = Database(Settings().resolved_database_url)
    migrate(database)
    draft_migration(database, sys.argv[1])
