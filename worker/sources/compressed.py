"""Compressed tars and 7-Zip archives: a worker unpacks one to a plain tar once, where shards then read any image."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, cast

from trainer.errors import UnpackingFailed
from trainer.file_kinds import BZIP2, GZIP, SEVEN_ZIP, START_BYTES, XZ, ZSTD, FileKind, kind_of_file
from trainer.unpacking import refuse_cut_7z, tar_of_7z, unpacked
from worker.errors import ArchiveError
from worker.sources.limits import Limits
from worker.storage.whole import write_whole

# What is unpacked, and the suffix of its name.
PACKED = {GZIP: ".tar.gz", BZIP2: ".tar.bz2", XZ: ".tar.xz", ZSTD: ".tar.zst", SEVEN_ZIP: ".7z"}

# Behind the furthest byte that was read: more than the headers of one member of a tar.
KEPT_BYTES = 2**16


def is_packed(start: bytes) -> bool:
    """Whether a file that starts so is unpacked before its images are read."""
    return kind_of_file(start) in PACKED


def is_7z(start: bytes) -> bool:
    return kind_of_file(start) is SEVEN_ZIP


def check_7z(path: Path) -> None:
    """
    Raises:
        ArchiveError: the 7-Zip archive is cut short, as far as its first bytes tell.
    """
    with _told():
        refuse_cut_7z(path)


class Forwards:
    """The content of a compressed tar, which can be read forwards only; a little behind is kept.

    Args:
        pieces: of the content.
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
            ArchiveError: the file is damaged or cut short.
            ValueError: the position is too far behind.
        """
        while self._position + size > self._begin + len(self._held) and (piece := next(self._pieces, b"")):
            kept = self._held[-KEPT_BYTES:]
            self._begin += len(self._held) - len(kept)
            self._held = kept + piece
        at = self._position - self._begin
        if at < 0:
            raise ValueError("its headers lead backwards")
        data = self._held[at : at + size]
        self._position += len(data)
        return data


@contextmanager
def open_compressed(path: Path) -> Iterator[IO[bytes]]:
    """The content of a compressed tar, not of a 7-Zip archive."""
    with closing(_pieces(path, _kind(path))) as pieces:
        yield cast("IO[bytes]", Forwards(pieces))


def unpack(path: Path, target: Path, limits: Limits, check: Callable[[], None]) -> None:
    """Unpack a file to a plain tar, which appears whole. What was written by an earlier attempt stays.

    Args:
        check: called often; may raise to stop, and nothing is left then.

    Raises:
        ArchiveError: the file is damaged, cut short, encrypted, or unpacks to more than `limits.unpacked_bytes`.
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
                f"The {what} unpacks to more than {limits.unpacked_bytes:,} bytes, which is the most. Split it up."
            )
        check()

    with write_whole(target) as file:
        if kind is SEVEN_ZIP:
            with _told():
                tar_of_7z(path, file, keep_to_limits)
        else:
            for piece in _pieces(path, kind):
                keep_to_limits(file.tell() + len(piece))
                file.write(piece)


def _pieces(path: Path, kind: FileKind) -> Generator[bytes, None, None]:
    with _told():
        yield from unpacked(path, kind)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except UnpackingFailed as error:
        raise ArchiveError(str(error)) from error


def _kind(path: Path) -> FileKind:
    with path.open("rb") as file:
        kind = kind_of_file(file.read(START_BYTES))
    assert kind is not None, path
    return kind
