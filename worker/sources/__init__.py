"""What can be handed in for classification: a zip, a tar, a compressed tar, a 7-Zip archive, a directory of the
volume's inbox.

All meet one small interface, `Source`: a `listing` of the images, `members` by an index that takes 8 bytes an image,
and `read` for the bytes of one. `open_source` tells by content which it is. No NumPy: the web counts with it.
"""

from worker.sources.index import read_index, read_listing, read_places, write_index, write_listing
from worker.sources.limits import Limits
from worker.sources.opening import (
    UNPACKED,
    count_images,
    list_whole,
    needs_unpacking,
    open_source,
    prepare,
    suffix_of,
)
from worker.sources.pages import Page
from worker.sources.source import Listing, Member, Members, Source, UnreadableMember, read_file

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
    "list_whole",
    "needs_unpacking",
    "open_source",
    "prepare",
    "read_file",
    "read_index",
    "read_listing",
    "read_places",
    "suffix_of",
    "write_index",
    "write_listing",
]
