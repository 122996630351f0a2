"""Compressed tars: a worker unpacks one to a plain tar once, where shards can then read any image."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from worker.errors import ArchiveError
from worker.sources.limits import Limits
from worker.sources.tars import DAMAGE
from worker.storage.whole import write_whole

GZIP, BZIP2 = b"\x1f\x8b", b"BZh"

COPY_BYTES = 2**20


def is_compressed(start: bytes) -> bool:
    return start.startswith((GZIP, BZIP2))


def open_compressed(path: Path) -> IO[bytes]:
    """The unpacked content, to be read forwards."""
    with path.open("rb") as file:
        start = file.read(len(BZIP2))
    return cast(IO[bytes], bz2.open(path) if start.startswith(BZIP2) else gzip.open(path))


def unpack(path: Path, target: Path, limits: Limits, check: Callable[[], None]) -> None:
    """Unpack a compressed file to `target`, which appears whole. What was written by an earlier attempt stays.

    Args:
        check: called often; may raise to stop, and nothing is left then.

    Raises:
        ArchiveError: the file is damaged, cut short, or unpacks to more than `limits.unpacked_bytes`.
    """
    if target.exists():
        return
    for left_by_a_killed_worker in target.parent.glob(f".{target.name}.*"):
        left_by_a_killed_worker.unlink(missing_ok=True)
    written = 0
    with open_compressed(path) as packed, write_whole(target) as file:
        while piece := _read(packed):
            written += len(piece)
            if written > limits.unpacked_bytes:
                raise ArchiveError(
                    f"The tar unpacks to more than {limits.unpacked_bytes:,} bytes, which is the most. Split it up."
                )
            file.write(piece)
            check()


def read_start(path: Path, size: int) -> bytes:
    """The first bytes of the unpacked content; fewer where there are no more, or where it is damaged."""
    try:
        with open_compressed(path) as packed:
            return packed.read(size)
    except DAMAGE:
        return b""


def _read(packed: IO[bytes]) -> bytes:
    try:
        return packed.read(COPY_BYTES)
    except DAMAGE as error:
        raise ArchiveError(f"The compressed tar is damaged or cut short ({error}). Hand in the whole of it.") from error
