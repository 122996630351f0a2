"""What was handed in for a classification, and what its plan has made of it."""

from pathlib import Path
from typing import Any

from worker.errors import ArchiveError
from worker.parameters import ClassificationParameters
from worker.sources import UNPACKED, needs_unpacking
from worker.volume import Volume

# In the job's work directory: where the source has its images, so that no shard goes through all of it.
INDEX = "images.index"


def input_of(volume: Volume, job_id: str, parameters: dict[str, Any]) -> Path:
    """The archive that was uploaded, or the directory of the inbox that was named, where it can be read.

    Raises:
        ArchiveError: the directory is no longer there.
    """
    directory = ClassificationParameters(**parameters).directory
    if directory is None:
        return volume.storage.fetch(volume.archive(job_id))
    found = volume.inbox_directory(directory)
    if found is None:
        raise ArchiveError(f"There is no directory {directory!r} in the inbox any more. Put it there again and retry.")
    return found


def planned_work(volume: Volume, job_id: str, source: Path) -> Path:
    """The job's work directory, with what its plan has put there to read the source at any position."""
    work = volume.work(job_id)
    volume.storage.fetch(work / INDEX)
    if needs_unpacking(source):
        volume.storage.fetch(work / UNPACKED)
    return work
