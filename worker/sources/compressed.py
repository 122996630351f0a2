"""Unpacks compressed tars and 7-Zip archives to a plain tar, once per job, so that shards can read any image."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, cast

from tenfold.files.kinds import BZIP2, GZIP, SEVEN_ZIP, START_BYTES, XZ, ZSTD, FileKind, kind_of_file
from tenfold.trainer.errors import UnpackingFailed
from tenfold.trainer.files.unpacking import refuse_cut_7z, tar_of_7z, unpacked
from tenfold.worker.errors import ArchiveError
from tenfold.worker.sources.source import Limits
from tenfold.worker.storage.whole import atomic_write

# Formats that are unpacked first, with their file name suffix.
PACKED = {GZIP: ".tar.gz", BZIP2: ".tar.bz2", XZ: ".tar.xz", ZSTD: ".tar.zst", SEVEN_ZIP: ".7z"}

# How far a reader can go back: more than the headers of one tar member.
KEPT_BYTES = 2**16


def is_packed(start: bytes) -> bool:
    """Whether a file that starts with these bytes must be unpacked before its images are read."""
    return kind_of_file(start) in PACKED


def is_7z(start: bytes) -> bool:
    return kind_of_file(start) is SEVEN_ZIP


def check_7z(path: Path) -> None:
    """
    Raises:
        ArchiveError: the 7-Zip archive is truncated, according to its first bytes.
    """
    with _as_archive_error():
        refuse_cut_7z(path)


class ForwardReader:
    """The content of a compressed tar, read forward only; the last `KEPT_BYTES` can be read again.

    Args:
        pieces: the content.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._begin = 0
        self._position = 0

    def seek(self, position: int) -> int:
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        """At most `size` bytes, no more than `KEPT_BYTES`; fewer at the end.

        Raises:
            ArchiveError: the file is damaged or truncated.
            ValueError: the position is too far back.
        """
        while self._position + size > self._begin + len(self._held) and (piece := next(self._pieces, b"")):
            kept = self._held[-KEPT_BYTES:]
            self._begin += len(self._held) - len(kept)
            self._held = kept + piece
        at = self._position - self._begin
        if at < 0:
            raise ValueError("its headers point backward")
        data = self._held[at : at + size]
        self._position += len(data)
        return data


@contextmanager
def open_compressed(path: Path) -> Iterator[IO[bytes]]:
    """The content of a compressed tar; not for 7-Zip archives."""
    with closing(_pieces(path, _kind(path))) as pieces:
        yield cast("IO[bytes]", ForwardReader(pieces))


def unpack(path: Path, target: Path, limits: Limits, check: Callable[[], None]) -> None:
    """Unpack a file to a plain tar, which appears when it is complete. One of an earlier attempt is kept.

    Args:
        check: called often; may raise to stop, leaving nothing behind.

    Raises:
        ArchiveError: the file is damaged, truncated, encrypted, or unpacks to more than `limits.unpacked_bytes`.
    """
    if target.exists():
        return
    for left_by_a_killed_worker in target.parent.glob(f".{target.name}.*"):
        left_by_a_killed_worker.unlink(missing_ok=True)
    kind = _kind(path)

    def keep_to_limits(written: int) -> None:
        if written > limits.unpacked_bytes:
            what = "7-Zip archive" if kind is SEVEN_ZIP else "tar"
            raise ArchiveError(
                f"The {what} unpacks to more than {limits.unpacked_bytes:,} bytes, the maximum. Split it up."
            )
        check()

    with atomic_write(target) as file:
        if kind is SEVEN_ZIP:
            with _as_archive_error():
                tar_of_7z(path, file, keep_to_limits)
        else:
            for piece in _pieces(path, kind):
                keep_to_limits(file.tell() + len(piece))
                file.write(piece)


def _pieces(path: Path, kind: FileKind) -> Generator[bytes, None, None]:
    with _as_archive_error():
        yield from unpacked(path, kind)


@contextmanager
def _as_archive_error() -> Iterator[None]:
    try:
        yield
    except UnpackingFailed as error:
        raise ArchiveError(str(error)) from error


def _kind(path: Path) -> FileKind:
    with path.open("rb") as file:
        kind = kind_of_file(file.read(START_BYTES))
    assert kind is not None, path
    return kind
