"""The interface of all sources."""

import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, overload

from tenfold.files.names import leads_outside
from tenfold.worker.settings import Settings
from tenfold.worker.sources.pages import FILE_MASK, Page, page_of, split_position

# Error kinds used by several modules.
TOO_LARGE, NOT_A_FILE = "too_large", "not_a_file"


@dataclass(frozen=True)
class Limits:
    """Limits on what is listed and unpacked; by default there are none.

    Args:
        images: maximum number of images.
        files: maximum number of files of any kind, plus directories.
        image_bytes: maximum size of an image, unpacked. A larger one is not unpacked; its row has an error.
        unpacked_bytes: maximum size of all images, unpacked, and of a compressed tar unpacked on disk.
    """

    images: int = sys.maxsize
    files: int = sys.maxsize
    image_bytes: int = sys.maxsize
    unpacked_bytes: int = sys.maxsize

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            images=settings.max_archive_images,
            files=settings.max_archive_files,
            image_bytes=settings.max_image_bytes,
            unpacked_bytes=settings.max_unpacked_bytes,
        )


class UnreadableMember(Exception):
    """A member that cannot be read; its row gets this message.

    Args:
        kind: an identifier by which such rows are counted.
    """

    def __init__(self, message: str, kind: str = "damaged") -> None:
        super().__init__(message)
        self.kind = kind


class Member(Protocol):
    """One file of a source. The name is for display only: it may be anything, and is not a path."""

    @property
    def name(self) -> str: ...


class Members(Sequence[Member]):
    """Members of an open source, or pages of them, looked up on access: 8 bytes each.

    Args:
        look_up: returns the member at a position without page number.
        positions: of the members, in order; only the source knows what a position means.
    """

    def __init__(self, look_up: Callable[[int], Member], positions: "array[int]") -> None:
        self._look_up = look_up
        self.positions = positions
        self._has_pages = max(positions, default=0) > FILE_MASK

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
    """What a source contains.

    Args:
        skipped: files that are not images, counted by `names.Kind`.
        manifest: tables at the top, or in the only top folder, that may describe the images, best match first
            (`names.MANIFESTS`).
        unpacked_bytes: size of all images; 0 if the source does not have it.
        skipped_examples: some names of each kind.
        folders: number of images directly in each folder.
        paged: positions of images that may have several pages.
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
        """List the source; images are not decoded.

        Raises:
            ArchiveError: it is damaged, has no images, or exceeds the limits.
        """

    def members(self, positions: "array[int]") -> Members:
        """The members at these positions: those of `listing.images`, or some of them."""

    def read(self, member: Any, max_bytes: int) -> bytes:
        """The unpacked bytes of one member.

        Raises:
            UnreadableMember: it is damaged, not a regular file, has an unsafe name, or is larger than `max_bytes`.
        """


def read_file(source: Source, member: Member, max_bytes: int) -> bytes:
    """The bytes of a member, or of the whole file that a page is in.

    Raises:
        UnreadableMember: as `Source.read`.
    """
    return source.read(member.member if isinstance(member, Page) else member, max_bytes)


def refuse_to_read(member: Member, size: int, max_bytes: int) -> None:
    """
    Raises:
        UnreadableMember: the name is a path out of the archive, or there are more than `max_bytes`.
    """
    if leads_outside(member.name):
        raise UnreadableMember(
            "has an unsafe name, a path out of the archive; pack it under a relative name without '..'", "unsafe_name"
        )
    if size > max_bytes:
        raise UnreadableMember(f"is larger than {max_bytes} bytes when unpacked", TOO_LARGE)
