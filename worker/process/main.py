"""`tenfold-worker`: runs steps until it is told to stop, or one job and exits."""

import sys
from collections.abc import Sequence

import click

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import prepare_database
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.queue import QUEUES, queue_names
from tenfold.worker.observability.logs import configure_logging
from tenfold.worker.process.app import celery, settings, unfit
from tenfold.worker.settings import Settings
from tenfold.worker.storage.opening import open_volume

# The names of the queues for people.
KINDS = {"train": JobKind.TRAINING, "classify": JobKind.CLASSIFICATION}


@click.command()
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    help="Only trainings, or only classifications and other short jobs. Default: both.",
)
@click.option(
    "--once", is_flag=True, help="Work on one job, then exit; docs/operations/kubernetes.md lists the exit codes."
)
@click.option("--job", "job_id", help="With --once: the id of the job to work on.")
def main(kinds: tuple[str, ...], once: bool, job_id: str | None) -> None:
    """Run a worker. On SIGTERM or Ctrl-C it releases its step and exits."""
    if job_id and not once:
        raise click.UsageError("--job requires --once.")
    configure_logging(settings.log_format)
    _prepare(settings)
    queues = [KINDS[kind] for kind in kinds] or list(QUEUES)
    if once:
        from tenfold.worker.process.once import run_one_job

        sys.exit(run_one_job(settings, queues, job_id))
    run_celery(queues)
    sys.exit(1 if unfit.is_set() else 0)


def _prepare(settings: Settings) -> None:
    open_volume(settings).create()
    database = Database(settings.resolved_database_url)
    prepare_database(database, settings)
    database.close()


def run_celery(queues: Sequence[JobKind]) -> None:
    celery.worker_main(
        [
            "worker",
            "--loglevel=INFO",
            f"--concurrency={settings.worker_processes}",
            f"--max-memory-per-child={settings.max_process_bytes // 1024}",
            f"--queues={','.join(queue_names(queues, settings.step_version))}",
            "--without-gossip",
            "--without-mingle",
        ]
    )


if __name__ == "__main__":
    main()
