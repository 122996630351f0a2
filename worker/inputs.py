"""What was handed in for a classification, and what its plan has made of it."""

import logging
from pathlib import Path
from typing import Any

from worker.errors import ArchiveError
from worker.parameters import ClassificationParameters
from worker.sources import UNPACKED, Listing, Source, needs_unpacking, read_listing, write_listing
from worker.storage.whole import write_whole
from worker.volume import Volume

log = logging.getLogger(__name__)

# In the job's work directory: where the source has its images, so that no shard goes through all of it.
INDEX = "images.index"
# There too: the listing that was made when a large zip was handed in, which the plan need not make again.
LISTING = "listing"

# Fewer images are listed as fast as a listing is written.
WORTH_NOTING = 10_000


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


def note_listing(volume: Volume, job_id: str, listing: Listing) -> None:
    """Keep for the plan what was found when the source was handed in, where that is worth it and the disk has room."""
    if len(listing.images) < WORTH_NOTING:
        return
    work = volume.work(job_id)
    try:
        work.mkdir()
        with write_whole(work / LISTING) as file:
            write_listing(listing, file)
        volume.storage.publish(work / LISTING)
    except OSError as error:
        log.warning("the listing is not kept, the plan will make it again: %s", error)


def listing_of(volume: Volume, job_id: str, source: Source) -> Listing:
    """What the job's source holds: as it was noted, else as it is found now.

    Raises:
        ArchiveError: it is damaged, holds no image, or is beyond the limits.
    """
    noted = volume.storage.fetch(volume.work(job_id) / LISTING)
    return read_listing(noted, source) if noted.exists() else source.listing
