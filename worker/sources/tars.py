"""Reads the images of an uncompressed tar by the positions of their headers, without extracting to disk."""

import tarfile
import zlib
from array import array
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO

from tenfold.files.kinds import START_BYTES
from tenfold.files.names import Kind
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources.pages import PAGE_BITS
from tenfold.worker.sources.source import NOT_A_FILE, Limits, Listing, Members, UnreadableMember, refuse_to_read
from tenfold.worker.sources.survey import Survey

# Small images are adjacent, so one read gets many.
BUFFER_BYTES = 256 * 2**10

# Maximum size of one member's headers. `tarfile` alone would read gigabytes into memory.
MAX_HEADER_BYTES = 32 * 2**10

# Raised by `tarfile`, and by reading a compressed file, for damaged bytes.
DAMAGE = (tarfile.TarError, OSError, EOFError, ValueError, ArithmeticError, LookupError, zlib.error)

END_BLOCK = bytes(tarfile.BLOCKSIZE)

# Positions from here on do not fit the index.
MAX_POSITION = 2**PAGE_BITS


class Headers:
    """The headers of a tar, read one member at a time from anywhere in the file.

    Args:
        file: the tar; a forward-only file works if positions only increase.

    Raises:
        ArchiveError: the first header is damaged.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._bounded = _Bounded(file)
        try:
            self._bounded.start_at(0)
            # Invalid UTF-8 is shown as �; the surrogates that `tarfile` uses by default cannot be written.
            self._tar = tarfile.TarFile(fileobj=self._bounded, encoding="utf-8", errors="replace")  # type: ignore[arg-type]
        except DAMAGE as error:
            raise _damaged(0, error) from error

    def read(self, position: int) -> tarfile.TarInfo | None:
        """The member with headers at this position, or None at the end of the tar.

        Raises:
            ArchiveError: no header.
        """
        try:
            self._bounded.start_at(position)
            if self._bounded.read(tarfile.BLOCKSIZE) in (b"", END_BLOCK):
                return None
            self._bounded.start_at(position)
            # Ignore global headers: with random access they may not have been read.
            self._tar.pax_headers = {}
            member = tarfile.TarInfo.fromtarfile(self._tar)
        except DAMAGE as error:
            raise _damaged(position, error) from error
        if member.size < 0 or not position < self._tar.offset < MAX_POSITION:
            raise _damaged(position, tarfile.ReadError("impossible size"))
        member.name = member.name.removeprefix("./")
        return member

    def read_start(self, member: tarfile.TarInfo) -> bytes:
        """The first bytes of the member read last, for detecting its format; empty unless it is a regular file.

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
        """Each member with the position of its headers, in the order of the tar.

        Raises:
            ArchiveError: the tar is damaged or truncated.
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
                f"The tar is truncated: {member.name[:100]!r} should end at byte {end:,}. Submit the complete file."
            )


def add_member(survey: Survey, headers: Headers, position: int, member: tarfile.TarInfo) -> None:
    """Add the member read last to the survey, by its content if its name does not show its kind."""
    if member.isdir():
        survey.add_directory()
    elif survey.add(position, member.name, member.size) is Kind.UNKNOWN:
        survey.add_by_content(position, member.name, member.size, headers.read_start(member))


class Tar:
    """An open tar of images. Close it, or use it in a `with` block.

    Args:
        what: the source in messages; a 7-Zip archive was unpacked to a tar.

    Raises:
        ArchiveError: the file is not a readable tar.
    """

    def __init__(self, path: Path, limits: Limits, what: str = "tar") -> None:
        self._limits = limits
        self._what = what
        try:
            self._file = path.open("rb", buffering=BUFFER_BYTES)
        except OSError as error:
            raise ArchiveError(f"The tar cannot be read ({error}). Submit it again.") from error
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
        """List the tar by its headers.

        Raises:
            ArchiveError: the tar is damaged or truncated, has no images, or exceeds the limits.
        """
        survey = Survey(self._what, self._limits)
        for position, member in self._headers.scan():
            add_member(survey, self._headers, position, member)
        return survey.listing(self)

    def members(self, positions: "array[int]") -> Members:
        """The members at these positions: those of `listing.images`, or some of them."""
        return Members(self._member, positions)

    def read(self, member: tarfile.TarInfo, max_bytes: int) -> bytes:
        """The bytes of one member.

        Raises:
            UnreadableMember: it is not a regular file, truncated, has an unsafe name, or is larger than `max_bytes`.
        """
        if member.issym() or member.islnk():
            raise UnreadableMember(
                "is a link, not an image; pack with `tar --dereference --hard-dereference`", NOT_A_FILE
            )
        if member.issparse():
            raise UnreadableMember("is packed as a sparse file; pack without `--sparse`")
        if not member.isreg():
            raise UnreadableMember("is a device or pipe, not an image; pack the image itself", NOT_A_FILE)
        refuse_to_read(member, member.size, max_bytes)
        self._file.seek(member.offset_data)
        data = self._file.read(member.size)
        if len(data) != member.size:
            raise UnreadableMember("is truncated in the tar; submit the complete file")
        return data

    def _member(self, position: int) -> tarfile.TarInfo:
        member = self._headers.read(position)
        if member is None:
            raise _damaged(position, tarfile.ReadError("no header"))
        return member


class _Bounded:
    """A file from which `tarfile` reads at most `MAX_HEADER_BYTES` for each member."""

    mode = "rb"
    name = ""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = 0

    def start_at(self, position: int) -> None:
        self._file.seek(position)
        self._left = MAX_HEADER_BYTES

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._left:
            raise tarfile.ReadError(f"headers of more than {MAX_HEADER_BYTES:,} bytes")
        self._left -= size
        return self._file.read(size)

    def seek(self, position: int) -> int:
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()


def _damaged(position: int, error: Exception) -> ArchiveError:
    if isinstance(error, EOFError):
        return ArchiveError(f"The compressed tar is truncated ({error}). Submit the complete file.")
    return ArchiveError(f"The tar is damaged at byte {position:,} ({error}). Pack the images again.")
