"""`tenfold-worker`: runs steps until it is told to stop, or one job alone and ends."""

import sys
from collections.abc import Sequence

import click

from worker.app import celery, settings, unfit
from worker.database import Database
from worker.logs import configure_logging
from worker.queue import QUEUES, queue_names
from worker.schema import prepare_database
from worker.settings import Settings
from worker.states import JobKind
from worker.storage.opening import open_volume

# What people call the queues.
KINDS = {"train": JobKind.TRAINING, "classify": JobKind.CLASSIFICATION}


@click.command()
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    help="Only trainings, or only classifications and all else that is short. Default: both.",
)
@click.option("--once", is_flag=True, help="Do one job, then end; docs/kubernetes.md has the exit codes.")
@click.option("--job", "job_id", help="With --once: this job and no other.")
def main(kinds: tuple[str, ...], once: bool, job_id: str | None) -> None:
    """Run a worker. SIGTERM or Ctrl-C lets it give its step back and end."""
    if job_id and not once:
        raise click.UsageError("--job goes with --once.")
    configure_logging(settings.log_format)
    _prepare(settings)
    queues = [KINDS[kind] for kind in kinds] or list(QUEUES)
    if once:
        from worker.once import run_one_job

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
