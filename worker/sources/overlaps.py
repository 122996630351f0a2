"""Finds members of a zip that share bytes: that is how a small zip is made to unpack to petabytes.

See David Fifield, "A better zip bomb" (2019). Nobody packs images in such a way.
"""

from array import array
from itertools import islice
from operator import gt


def find_overlap(starts: "array[int]", ends: "array[int]") -> int | None:
    """The index of a range that begins before another has ended, or None.

    In file order, as most zips have them, ranges are compared one to the next. Else both ends are sorted by themselves:
    ranges lie apart exactly if in that order each one begins where the one before has ended, or later.

    Args:
        starts: where each range begins.
        ends: where each range ends, after its beginning.

    Example:
        >>> find_overlap(array("Q", [0, 20, 10]), array("Q", [10, 25, 20]))
        >>> find_overlap(array("Q", [0, 20, 10]), array("Q", [10, 25, 21]))
        1
    """
    if not _first_before(ends, starts):
        return None
    ordered = array("Q", sorted(starts))
    found = _first_before(array("Q", sorted(ends)), ordered)
    return None if found is None else starts.index(ordered[found])


def _first_before(ends: "array[int]", starts: "array[int]") -> int | None:
    """The index of the first start that comes before the end of the one before it."""
    for index, overlaps in enumerate(map(gt, ends, islice(starts, 1, None)), 1):
        if overlaps:
            return index
    return None
