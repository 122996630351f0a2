"""Puts the files that a step has made where they count: while its lease is locked, so that a worker which has lost it,
and wakes up late, never replaces what another has made since."""

import shutil
from pathlib import Path

from worker.leases import Lease, LeaseStore
from worker.storage import Storage
from worker.storage.whole import sync_directory


def hand_in(leases: LeaseStore, lease: Lease, made: Path, directory: Path, storage: Storage) -> None:
    """Move all that lies in `made` to `directory`, in place of what is there under the same names, for everybody.

    Args:
        made: on the same disk as `directory`, and no other worker's: its name carries the lease's token.

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


def place_to_make(work: Path, lease: Lease) -> Path:
    """An empty directory for what this claim makes, in the job's work directory.

    Raises:
        FileNotFoundError: there is no work directory any more: another worker has ended the job.
    """
    made = work / f"made-{lease.token[:8]}"
    made.mkdir()
    return made
