"""Counts the pages of multi-page files when a classification is planned."""

from array import array
from collections.abc import Callable
from typing import Any

from tenfold.files.kinds import PDF, START_BYTES, TIFF, kind_of_file, may_have_pages
from tenfold.files.names import MAX_PAGES
from tenfold.trainer.errors import ImageUnreadable
from tenfold.trainer.images.reading import page_count
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources import Limits, Listing, Source, UnreadableMember
from tenfold.worker.sources.pages import expand

# Frames read of an animation, whose frames are mostly alike.
MAX_FRAMES = 100

# Files named in the notes.
MAX_NAMED = 5


def with_pages(
    source: Source, listing: Listing, limits: Limits, check: Callable[[], None]
) -> tuple["array[int]", dict[str, Any]]:
    """The positions of all images, where each page is one, and figures for the notes.

    A file that cannot be read counts as one page; its row has the error.

    Args:
        check: called for each opened file; may raise to stop.

    Returns:
        the positions, and `files` (with several pages), `pages` (in them), and `truncated`: files that have more pages
        than are read, with their number of pages.

    Raises:
        ArchiveError: with all pages there are more images than the limit.
    """
    several: dict[int, int] = {}
    truncated: dict[str, int] = {}
    for position, member in zip(listing.paged, source.members(listing.paged), strict=True):
        check()
        try:
            pages, most = _count(source.read(member, limits.image_bytes))
        except (UnreadableMember, ImageUnreadable):
            continue
        if pages > 1:
            several[position] = min(pages, most)
        if pages > most and len(truncated) < MAX_NAMED:
            truncated[member.name[:200]] = pages
    total = sum(several.values())
    if several and len(listing.images) - len(several) + total > limits.images:
        raise ArchiveError(f"With all pages there are more than {limits.images:,} images, the maximum. Split it up.")
    return expand(listing.images.positions, several), {"files": len(several), "pages": total, "truncated": truncated}


def _count(data: bytes) -> tuple[int, int]:
    """The number of pages, and the maximum that is read."""
    start = data[:START_BYTES]
    if not may_have_pages(start):
        return 1, 1
    return page_count(data), MAX_PAGES if kind_of_file(start) in (TIFF, PDF) else MAX_FRAMES
