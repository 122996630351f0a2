"""The input of a classification, and what its plan stored about it."""

import logging
from pathlib import Path
from typing import Any

from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources import UNPACKED, Listing, Source, needs_unpacking, read_listing, write_listing
from tenfold.worker.storage.volume import Volume
from tenfold.worker.storage.whole import atomic_write

log = logging.getLogger(__name__)

# In the job's work directory: the position of each image in the source.
INDEX = "images.index"
# There too: the listing of a large zip that was made at submission, so that the plan need not make it again.
LISTING = "listing"

# Fewer images are listed as fast as a stored listing is written.
MIN_STORED_IMAGES = 10_000


def input_of(volume: Volume, job_id: str, parameters: dict[str, Any]) -> Path:
    """The path of the uploaded archive, or of the directory in the inbox.

    Raises:
        ArchiveError: the directory no longer exists.
    """
    directory = ClassificationParameters(**parameters).directory
    if directory is None:
        return volume.storage.fetch(volume.archive(job_id))
    found = volume.inbox_directory(directory)
    if found is None:
        raise ArchiveError(f"The directory {directory!r} is no longer in the inbox. Put it back and retry.")
    return found


def planned_work(volume: Volume, job_id: str, source: Path) -> Path:
    """The job's work directory, with what the plan made there for reading the source at any position."""
    work = volume.work(job_id)
    volume.storage.fetch(work / INDEX)
    if needs_unpacking(source):
        volume.storage.fetch(work / UNPACKED)
    return work


def store_listing(volume: Volume, job_id: str, listing: Listing) -> None:
    """Store the listing made at submission for the plan, if it is large and the disk has space."""
    if len(listing.images) < MIN_STORED_IMAGES:
        return
    work = volume.work(job_id)
    try:
        work.mkdir()
        with atomic_write(work / LISTING) as file:
            write_listing(listing, file)
        volume.storage.publish(work / LISTING)
    except OSError as error:
        log.warning("could not store the listing, the plan will make it again: %s", error)


def listing_of(volume: Volume, job_id: str, source: Source) -> Listing:
    """The listing of the job's source: the stored one, else a new one.

    Raises:
        ArchiveError: it is damaged, has no images, or exceeds the limits.
    """
    stored = volume.storage.fetch(volume.work(job_id) / LISTING)
    return read_listing(stored, source) if stored.exists() else source.listing
