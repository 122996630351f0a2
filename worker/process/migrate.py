"""`tenfold-migrate`: applies every missing database migration, and ends."""

import logging

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate
from tenfold.worker.observability.logs import configure_logging
from tenfold.worker.settings import Settings, settings_or_exit
from tenfold.worker.storage.opening import open_volume

log = logging.getLogger(__name__)


def main() -> None:
    settings = settings_or_exit(Settings)
    configure_logging(settings.log_format)
    open_volume(settings).create()  # the directory that SQLite's file is in
    database = Database(settings.resolved_database_url)
    migrate(database)
    database.close()
    log.info("the database is up to date")


if __name__ == "__main__":
    main()
