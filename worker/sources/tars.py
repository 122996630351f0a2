"""Reads the images of an uncompressed tar: each is found by where its header lies, and nothing is extracted to disk."""

import tarfile
import zlib
from array import array
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO

from trainer.file_kinds import START_BYTES
from worker.errors import ArchiveError
from worker.sources.limits import Limits
from worker.sources.names import Kind
from worker.sources.pages import PAGE_BITS
from worker.sources.source import NO_FILE, Listing, Members, UnreadableMember, refuse_to_read
from worker.sources.survey import Survey

# Small images lie next to each other, so one read of the file brings many.
BUFFER_BYTES = 256 * 2**10

# One member's headers: a name of 4,096 bytes, a link, attributes. `tarfile` alone would read gigabytes into memory.
MOST_HEADER_BYTES = 32 * 2**10

# What `tarfile`, and reading from a compressed file, raise where the bytes make no sense.
DAMAGE = (tarfile.TarError, OSError, EOFError, ValueError, ArithmeticError, LookupError, zlib.error)

END_BLOCK = bytes(tarfile.BLOCKSIZE)

# No member can be at such a place; beyond it positions do not fit the index.
FARTHEST = 2**PAGE_BITS


class Headers:
    """The headers of a tar, read one member at a time from anywhere in the file.

    Args:
        file: the tar; one that can only go forward will do as long as positions only grow.

    Raises:
        ArchiveError: the first header is damaged.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._bounded = _Bounded(file)
        try:
            self._bounded.start_at(0)
            # Names in bytes that are no text are shown with �; what `tarfile` would make of them cannot be written.
            self._tar = tarfile.TarFile(fileobj=self._bounded, encoding="utf-8", errors="replace")  # type: ignore[arg-type]
        except DAMAGE as error:
            raise _damaged(0, error) from error

    def read(self, position: int) -> tarfile.TarInfo | None:
        """The member whose headers begin at this position, or None at the end of the tar.

        Raises:
            ArchiveError: no header is there.
        """
        try:
            self._bounded.start_at(position)
            if self._bounded.read(tarfile.BLOCKSIZE) in (b"", END_BLOCK):
                return None
            self._bounded.start_at(position)
            # What an earlier header says of all members after it is not known when one is read from anywhere.
            self._tar.pax_headers = {}
            member = tarfile.TarInfo.fromtarfile(self._tar)
        except DAMAGE as error:
            raise _damaged(position, error) from error
        if member.size < 0 or not position < self._tar.offset < FARTHEST:
            raise _damaged(position, tarfile.ReadError("impossible size"))
        member.name = member.name.removeprefix("./")
        return member

    def read_start(self, member: tarfile.TarInfo) -> bytes:
        """The first bytes of the member that was read last, by which its kind is told; none where it is no file.

        Raises:
            ArchiveError: the tar is damaged.
        """
        if not member.isreg():
            return b""
        try:
            self._bounded.start_at(member.offset_data)
            return self._bounded.read(min(member.size, START_BYTES))
        except DAMAGE as error:
            raise _damaged(member.offset_data, error) from error

    def scan(self) -> Iterator[tuple[int, tarfile.TarInfo]]:
        """Where the headers of each member begin, and the member, in the tar's order.

        Raises:
            ArchiveError: the tar is damaged or cut short.
        """
        position = 0
        while (member := self.read(position)) is not None:
            yield position, member
            self._refuse_cut(member, self._tar.offset)
            position = self._tar.offset

    def _refuse_cut(self, member: tarfile.TarInfo, end: int) -> None:
        try:
            self._bounded.start_at(end - 1)
            whole = self._bounded.read(1)
        except DAMAGE as error:
            raise _damaged(end, error) from error
        if not whole:
            raise ArchiveError(
                f"The tar is cut short: {member.name[:100]!r} should go on up to byte {end:,}. Hand in the whole of it."
            )


def meet_member(survey: Survey, headers: Headers, position: int, member: tarfile.TarInfo) -> None:
    """Have the survey take in the member that was read last, with its content where the name does not say its kind."""
    if member.isdir():
        survey.meet_directory()
    elif survey.meet(position, member.name, member.size) is Kind.UNKNOWN:
        survey.meet_content(position, member.name, member.size, headers.read_start(member))


class Tar:
    """An open tar of images. Close it, or use it in a `with` block.

    Args:
        what: the word for it in messages; of a 7-Zip archive, which becomes a tar, that.

    Raises:
        ArchiveError: the file is no tar that can be read.
    """

    def __init__(self, path: Path, limits: Limits, what: str = "tar") -> None:
        self._limits = limits
        self._what = what
        try:
            self._file = path.open("rb", buffering=BUFFER_BYTES)
        except OSError as error:
            raise ArchiveError(f"The tar cannot be read ({error}). Hand it in anew.") from error
        try:
            self._headers = Headers(self._file)
        except ArchiveError:
            self.close()
            raise

    def __enter__(self) -> "Tar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    @cached_property
    def listing(self) -> Listing:
        """What the tar holds; all headers are read for it, and none of the images.

        Raises:
            ArchiveError: the tar is damaged or cut short, there is no image, or limits are passed.
        """
        survey = Survey(self._what, self._limits)
        for position, member in self._headers.scan():
            meet_member(survey, self._headers, position, member)
        return survey.listing(self)

    def members(self, positions: "array[int]") -> Members:
        """The members whose headers begin at these positions, those of `listing.images` or some of them."""
        return Members(self._member, positions)

    def read(self, member: tarfile.TarInfo, max_bytes: int) -> bytes:
        """The bytes of one member.

        Raises:
            UnreadableMember: it is no regular file, cut short, named like a way out of the tar, or larger than
                `max_bytes`.
        """
        if member.issym() or member.islnk():
            raise UnreadableMember("is a link, no image; pack with `tar --dereference --hard-dereference`", NO_FILE)
        if member.issparse():
            raise UnreadableMember("is packed as a sparse file; pack without `--sparse`")
        if not member.isreg():
            raise UnreadableMember("is a device, a pipe or the like, no image; pack the image itself", NO_FILE)
        refuse_to_read(member, member.size, max_bytes)
        self._file.seek(member.offset_data)
        data = self._file.read(member.size)
        if len(data) != member.size:
            raise UnreadableMember("is cut short in the tar; hand in the whole of it")
        return data

    def _member(self, position: int) -> tarfile.TarInfo:
        member = self._headers.read(position)
        if member is None:
            raise _damaged(position, tarfile.ReadError("no header is there"))
        return member


class _Bounded:
    """What `tarfile` reads headers from: a file of which it gets a bounded number of bytes for one member."""

    mode = "rb"
    name = ""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = 0

    def start_at(self, position: int) -> None:
        self._file.seek(position)
        self._left = MOST_HEADER_BYTES

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._left:
            raise tarfile.ReadError(f"headers of more than {MOST_HEADER_BYTES:,} bytes")
        self._left -= size
        return self._file.read(size)

    def seek(self, position: int) -> int:
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()


def _damaged(position: int, error: Exception) -> ArchiveError:
    if isinstance(error, EOFError):
        return ArchiveError(f"The compressed tar is cut short ({error}). Hand in the whole of it.")
    return ArchiveError(f"The tar is damaged at byte {position:,} ({error}). Pack the images anew.")
