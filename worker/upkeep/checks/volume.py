"""The volume: whether it can be written, renames and syncs as promised, and how much room there is."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from worker.settings import Settings
from worker.upkeep.checks.finding import Finding, fail, ok, warn
from worker.volume import sync_directory

GIB = 2**30

# Of a volume with less than this a large upload may be the end.
LITTLE_BYTES = 5 * GIB
LITTLE_SHARE = 0.05


def check_volume(settings: Settings) -> Iterator[Finding]:
    root = settings.data.resolve()
    if not root.is_dir():
        yield fail(
            "volume",
            f"{root} is not there",
            "Start `tenfold up` or a worker, which make it; or set TENFOLD_DATA to where it is mounted.",
        )
        return
    yield _writes(root)
    usage = shutil.disk_usage(root)
    free = f"{usage.free / GIB:.1f} of {usage.total / GIB:.1f} GiB are free in {root}"
    if usage.free < min(LITTLE_BYTES, usage.total * LITTLE_SHARE):
        yield fail("volume room", free, "Make room: `tenfold gc` says what can go.")
    elif usage.free < LITTLE_BYTES or usage.free < usage.total * LITTLE_SHARE:
        yield warn("volume room", free, "`tenfold gc --dry-run` says what can go; docs/upkeep.md has rules for it.")
    else:
        yield ok("volume room", free)


def put_marker(root: Path) -> Path:
    """A file on the volume for the workers to find; the caller removes it."""
    marker = root / f".doctor.{uuid4().hex}"
    marker.touch()
    return marker


def _writes(root: Path) -> Finding:
    first, second = (root / f".doctor.{uuid4().hex}" for _ in range(2))
    try:
        with first.open("xb") as file:
            file.write(b"Tenfold")
            file.flush()
            os.fsync(file.fileno())
        first.rename(second)
        sync_directory(root)
        whole = second.read_bytes() == b"Tenfold"
    except OSError as error:
        return fail(
            "volume",
            f"{root} cannot be written, synced and renamed in: {error.strerror}",
            f"Let user {os.getuid()} write there, on a file system that renames and syncs (not one of objects).",
        )
    finally:
        for path in (first, second):
            path.unlink(missing_ok=True)
    return (
        ok("volume", f"{root} is written, synced and renamed in")
        if whole
        else fail("volume", f"{root} gives back other bytes than were written", "Check the file system and its mount.")
    )
