"""Pages of multi-page files: each is an image, with a position that includes the page number.

A position of a source has at most 48 bits (256 TiB); the bits above are 0 for a whole file, and else the number of a
page, from 1. So an index takes 8 bytes per image, and single-page files need no special treatment.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple, Protocol

PAGE_BITS = 48
FILE_MASK = 2**PAGE_BITS - 1

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
    """The position of the file, and the page number from 1, or 0 for a whole file."""
    return position & FILE_MASK, position >> PAGE_BITS


def with_page(position: int, number: int) -> int:
    """The position of a page, numbered from 1, of the file at this position."""
    return position | number << PAGE_BITS


def expand(positions: "array[int]", pages: Mapping[int, int]) -> "array[int]":
    """The positions of all images, with a position for each page of multi-page files.

    Args:
        positions: of files, ascending.
        pages: number of pages by position, for files with more than one.

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
