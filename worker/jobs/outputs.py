"""Moves the files that a step has made to their final place, while its lease is locked: a worker that has lost its
lease never replaces what another has made since."""

import shutil
from pathlib import Path

from tenfold.worker.db.states import JobState
from tenfold.worker.errors import UnknownJob
from tenfold.worker.jobs.leases import Lease, LeaseStore
from tenfold.worker.services import Services
from tenfold.worker.storage import Storage
from tenfold.worker.storage.whole import sync_directory


def commit_outputs(leases: LeaseStore, lease: Lease, made: Path, directory: Path, storage: Storage) -> None:
    """Move everything in `made` to `directory`, replacing what has the same name, and publish it.

    Args:
        made: from `staging_directory`; on the same disk as `directory`.

    Raises:
        LeaseLost: the claim no longer counts; nothing was moved.
    """
    try:
        with leases.locked(lease):
            places = {path: directory / path.name for path in sorted(made.iterdir())}
            for path, place in places.items():
                if place.is_dir():
                    shutil.rmtree(place)
                path.rename(place)
            sync_directory(directory)
            storage.publish(*places.values())
    finally:
        shutil.rmtree(made, ignore_errors=True)


def staging_directory(work: Path, lease: Lease) -> Path:
    """Create an empty directory in the job's work directory, with the lease's token in its name.

    Raises:
        FileNotFoundError: the work directory is gone, since another worker has ended the job.
    """
    made = work / f"made-{lease.token[:8]}"
    made.mkdir()
    return made


def unpublish_model_unless_wanted(services: Services, job_id: str) -> None:
    """Remove the model if the job was cancelled while it was being written.

    If another worker has the job, or has finished it, the model is that worker's.
    """
    try:
        wanted = services.jobs.get(job_id).state not in (JobState.FAILED, JobState.CANCELLED)
    except UnknownJob:
        wanted = False
    if not wanted:
        services.volume.delete_model(job_id)
