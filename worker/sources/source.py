"""The interface that every kind of source meets."""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, overload

from worker.sources.names import leads_outside
from worker.sources.pages import PLACE, Page, page_of, split_position

# Kinds of errors that more than one module tells.
TOO_LARGE, NO_FILE = "too large", "no file"


class UnreadableMember(Exception):
    """One member of a source that cannot be read; its row gets this message.

    Args:
        kind: one of few words, by which such rows are counted.
    """

    def __init__(self, message: str, kind: str = "damaged") -> None:
        super().__init__(message)
        self.kind = kind


class Member(Protocol):
    """One file of a source. The name is for people: it may be anything, and is no path."""

    @property
    def name(self) -> str: ...


class Members(Sequence[Member]):
    """Members of an open source, or pages of them, each looked up when it is asked for: they take 8 bytes apiece.

    Args:
        look_up: gives the member at a position that has no page.
        positions: where each member is found, in order; what a position means is the source's own.
    """

    def __init__(self, look_up: Callable[[int], Member], positions: "array[int]") -> None:
        self._look_up = look_up
        self.positions = positions
        self._has_pages = max(positions, default=0) > PLACE

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Member: ...
    @overload
    def __getitem__(self, index: slice) -> "Members": ...
    def __getitem__(self, index: int | slice) -> "Member | Members":
        if isinstance(index, slice):
            return Members(self._look_up, self.positions[index])
        return self._image_at(self.positions[index])

    def __iter__(self) -> Iterator[Member]:
        return map(self._image_at if self._has_pages else self._look_up, self.positions)

    def _image_at(self, position: int) -> Member:
        place, number = split_position(position)
        member = self._look_up(place)
        return page_of(member, number) if number else member


@dataclass(frozen=True)
class Listing:
    """What a source holds.

    `skipped` counts the files that are no images by kind, in the words of `names.Kind`; `skipped_examples` names some
    of each kind. `manifest` has the tables at the top, or in the one folder that holds everything, that may say more of
    the images, the likeliest first (`names.MANIFESTS`). `unpacked_bytes` is the size of all images together as far as
    the source says, 0 where it does not. `folders` says how many images lie directly in each folder; `paged` has the
    positions of those that may have several pages.
    """

    images: Members
    skipped: Mapping[str, int]
    manifest: Members
    unpacked_bytes: int
    skipped_examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    folders: Mapping[str, int] = field(default_factory=dict)
    paged: "array[int]" = field(default_factory=lambda: array("Q"))


class Source(Protocol):
    """An open source of images. Close it, or use it in a `with` block."""

    def __enter__(self) -> "Source": ...
    def __exit__(self, *_: object) -> None: ...
    def close(self) -> None: ...

    @property
    def listing(self) -> Listing:
        """What the source holds; all of it is gone through, and no image is read.

        Raises:
            ArchiveError: it is damaged, holds no image, or is beyond the limits.
        """

    def members(self, positions: "array[int]") -> Members:
        """The members at these positions, those of `listing.images` or some of them."""

    def read(self, member: Any, max_bytes: int) -> bytes:
        """The unpacked bytes of one member.

        Raises:
            UnreadableMember: it is damaged, is no regular file, is named like a way out, or is larger than `max_bytes`.
        """


def read_file(source: Source, member: Member, max_bytes: int) -> bytes:
    """The bytes of a member; of a page, those of its whole file.

    Raises:
        UnreadableMember: as `Source.read`.
    """
    return source.read(member.member if isinstance(member, Page) else member, max_bytes)


def refuse_to_read(member: Member, size: int, max_bytes: int) -> None:
    """
    Raises:
        UnreadableMember: the name leads outside, or there are more bytes than `max_bytes`.
    """
    if leads_outside(member.name):
        raise UnreadableMember(
            "has a name that leads out of the archive; pack it under a name without '..' or a root", "unsafe name"
        )
    if size > max_bytes:
        raise UnreadableMember(f"is larger than {max_bytes} bytes when unpacked", TOO_LARGE)
