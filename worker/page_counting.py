"""Counts the pages of the files that can have several, when a classification is planned."""

from array import array
from collections.abc import Callable
from typing import Any

from trainer.errors import ImageUnreadable
from trainer.file_kinds import PDF, START_BYTES, TIFF, kind_of_file, may_have_pages
from trainer.images.reading import page_count
from worker.errors import ArchiveError
from worker.sources import Limits, Listing, Source, UnreadableMember
from worker.sources.pages import MAX_PAGES, expand

# Of an animation: its frames mostly show the same, again and again.
MAX_FRAMES = 100

# Files that are named to a person.
MAX_TOLD = 5


def with_pages(
    source: Source, listing: Listing, limits: Limits, check: Callable[[], None]
) -> tuple["array[int]", dict[str, Any]]:
    """The positions of all images, a page being one, and what is to be told of that.

    A file that cannot be read has one page, whose row then has the error.

    Args:
        check: called for each file that is opened; may raise to stop.

    Returns:
        the positions, and `files` (with several pages), `pages` (in them), and `cut`: files of which not all pages are
        taken, with their number of pages.

    Raises:
        ArchiveError: with their pages these are more images than the limits allow.
    """
    several: dict[int, int] = {}
    cut: dict[str, int] = {}
    for position, member in zip(listing.paged, source.members(listing.paged), strict=True):
        check()
        try:
            pages, most = _count(source.read(member, limits.image_bytes))
        except (UnreadableMember, ImageUnreadable):
            continue
        if pages > 1:
            several[position] = min(pages, most)
        if pages > most and len(cut) < MAX_TOLD:
            cut[member.name[:200]] = pages
    total = sum(several.values())
    if several and len(listing.images) - len(several) + total > limits.images:
        raise ArchiveError(
            f"With all pages it holds more than {limits.images:,} images, which is the limit. Split it up."
        )
    return expand(listing.images.positions, several), {"files": len(several), "pages": total, "cut": cut}


def _count(data: bytes) -> tuple[int, int]:
    """How many pages there are, and how many of them are taken."""
    start = data[:START_BYTES]
    if not may_have_pages(start):
        return 1, 1
    return page_count(data), MAX_PAGES if kind_of_file(start) in (TIFF, PDF) else MAX_FRAMES
