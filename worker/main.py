"""`tenfold-worker`: brings the database up to date, then runs steps until it is told to stop."""

import logging

from worker.app import celery, settings
from worker.database import Database
from worker.queue import QUEUES
from worker.schema import migrate
from worker.volume import Volume


def main() -> None:
    """Run a worker. SIGTERM or Ctrl-C lets it give its step back and end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    Volume(settings.data).create()
    database = Database(settings.resolved_database_url)
    migrate(database)
    database.close()
    celery.worker_main(
        [
            "worker",
            "--loglevel=INFO",
            f"--concurrency={settings.worker_processes}",
            f"--max-memory-per-child={settings.max_process_bytes // 1024}",
            f"--queues={','.join(kind.value for kind in QUEUES)}",
            "--without-gossip",
            "--without-mingle",
        ]
    )


if __name__ == "__main__":
    main()
