"""Reads the images of a submission: a zip, a tar, a compressed tar, a 7-Zip archive, or a directory in the inbox.

All implement `Source`: a `listing` of the images, `members` by an index of 8 bytes per image, and `read` for the bytes
of one. `open_source` detects the format by content. No NumPy: the web counts images with this.
"""

from tenfold.worker.sources.index import read_index, read_listing, read_positions, write_index, write_listing
from tenfold.worker.sources.opening import (
    UNPACKED,
    count_images,
    list_zip,
    needs_unpacking,
    open_source,
    prepare,
    suffix_of,
)
from tenfold.worker.sources.pages import Page
from tenfold.worker.sources.source import Limits, Listing, Member, Members, Source, UnreadableMember, read_file

__all__ = [
    "UNPACKED",
    "Limits",
    "Listing",
    "Member",
    "Members",
    "Page",
    "Source",
    "UnreadableMember",
    "count_images",
    "list_zip",
    "needs_unpacking",
    "open_source",
    "prepare",
    "read_file",
    "read_index",
    "read_listing",
    "read_positions",
    "suffix_of",
    "write_index",
    "write_listing",
]
