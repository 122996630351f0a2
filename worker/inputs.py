"""Where what was handed in for a classification lies."""

from pathlib import Path
from typing import Any

from worker.errors import ArchiveError
from worker.parameters import ClassificationParameters
from worker.volume import Volume


def input_of(volume: Volume, job_id: str, parameters: dict[str, Any]) -> Path:
    """The archive that was uploaded, or the directory of the inbox that was named.

    Raises:
        ArchiveError: the directory is no longer there.
    """
    directory = ClassificationParameters(**parameters).directory
    if directory is None:
        return volume.archive(job_id)
    found = volume.inbox_directory(directory)
    if found is None:
        raise ArchiveError(f"There is no directory {directory!r} in the inbox any more. Put it there again and retry.")
    return found
