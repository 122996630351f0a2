"""Pages of files that have several: each is an image of its own, found by a position that says which page it is.

A position of a source has at most 48 bits (256 TiB); the bits above are 0 for a whole file, and else the number of a
page, from 1. So an index stays at 8 bytes an image, and files of one page are met as if there were no pages.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple, Protocol

PAGE_BITS = 48
PLACE = 2**PAGE_BITS - 1

# More fit neither the index nor a person's patience.
MAX_PAGES = 10_000

# Names of files that can have several pages or frames; what has another name is taken for one picture.
PAGED_SUFFIXES = frozenset({".tif", ".tiff", ".pdf", ".gif", ".webp", ".apng", ".heic", ".heif", ".hif", ".avif"})

PAGE_NAME = re.compile(r"(.*)#([1-9][0-9]*)", re.DOTALL)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class Page(NamedTuple):
    """A page of a member: `number` counts from 1. Its name is the member's with the number: `scan.tif#2`."""

    name: str
    member: _Named
    number: int


def page_of(member: _Named, number: int) -> Page:
    return Page(f"{member.name}#{number}", member, number)


def split_position(position: int) -> tuple[int, int]:
    """Where the file is, and the number of the page, from 1; 0 where it is the whole file."""
    return position & PLACE, position >> PAGE_BITS


def with_page(position: int, number: int) -> int:
    """The position of a page, whose number counts from 1, of the file at this position."""
    return position | number << PAGE_BITS


def expand(positions: "array[int]", pages: Mapping[int, int]) -> "array[int]":
    """The positions of all images, where these files have several pages.

    Args:
        positions: of files, rising.
        pages: how many pages there are at a position, for files with more than one.

    Example:
        >>> [split_position(position) for position in expand(array("Q", [10, 20]), {20: 2})]
        [(10, 0), (20, 1), (20, 2)]
    """
    expanded, done = array("Q"), 0
    for position in sorted(pages):
        at = bisect_left(positions, position)
        expanded += positions[done:at]
        expanded.extend(with_page(position, number) for number in range(1, pages[position] + 1))
        done = at + 1
    return expanded + positions[done:]
