"""A small disk of its own for the volume, which can be filled to the last byte."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_FSIZE, prlimit

# Room for what ten minutes of chaos leave, some 700 MB. To be full it takes as much of the memory.
DISK_BYTES = 2**30

# Where no disk can be mounted: what may still be written to one file while the disk is "full".
FULL_FILE_BYTES = 4096


# The processes that write to the disk, as they are now.
Writers = Callable[[], list[int]]


class SmallDisk:
    """A tmpfs of its own. It takes root's rights to mount one."""

    what = "a tmpfs of its own is filled"

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def full(self, writers: Writers) -> Iterator[None]:
        """Nothing can be written during the block, by these and all others."""
        ballast = self.root / "ballast"
        with ballast.open("wb") as file:
            free = os.statvfs(self.root)
            with suppress(OSError):  # others write meanwhile: the disk is full all the same
                os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize))
        try:
            yield
        finally:
            ballast.unlink(missing_ok=True)


class SharedDisk:
    """Stands in where nothing can be mounted: the processes are forbidden to write files of more than a page."""

    what = "no disk can be mounted here: processes are limited to files of 4 KiB instead (RLIMIT_FSIZE)"

    @contextmanager
    def full(self, writers: Writers) -> Iterator[None]:
        """These can write next to nothing during the block."""
        self._limit(writers, FULL_FILE_BYTES)
        try:
            yield
        finally:
            self._limit(writers, RLIM_INFINITY)

    def _limit(self, writers: Writers, size: int) -> None:
        for pid in writers():
            try:
                prlimit(pid, RLIMIT_FSIZE, (size, RLIM_INFINITY))
            except ProcessLookupError:
                continue


@contextmanager
def make_disk(root: Path) -> Iterator[SmallDisk | SharedDisk]:
    """A disk at `root`, which is made if missing, for as long as the block runs."""
    root.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tenfold-chaos", root], capture_output=True
    )
    if mounted.returncode:
        yield SharedDisk()
        return
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)
