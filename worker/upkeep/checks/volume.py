"""The volume: whether files can be kept on it as promised, and how much room there is."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from worker.settings import Settings
from worker.storage.opening import open_volume
from worker.storage.whole import sync_directory
from worker.upkeep.checks.finding import Finding, fail, ok, warn
from worker.volume import Volume

GIB = 2**30

# Of a volume with less than this a large upload may be the end.
LITTLE_BYTES = 5 * GIB
LITTLE_SHARE = 0.05


def check_volume(settings: Settings) -> Iterator[Finding]:
    if settings.bucket is not None:
        yield _keeps_objects(settings)
        return
    root = settings.root.resolve()
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


def put_marker(volume: Volume) -> Path:
    """A file on the volume for the workers to find; the caller removes it."""
    marker = volume.marker(f".doctor.{uuid4().hex}")
    marker.touch()
    volume.storage.publish(marker)
    return marker


def _keeps_objects(settings: Settings) -> Finding:
    try:
        volume = open_volume(settings)
        volume.create()
        marker, storage = put_marker(volume), volume.storage
        try:
            if storage.find(marker) is None:
                return fail(
                    "volume",
                    f"{storage.address} does not find what was just put there",
                    "Take a service that is consistent at once, as S3, MinIO and Ceph are.",
                )
            marker.write_bytes(b"again")
            storage.publish(marker, replace=False)
        except FileExistsError:
            return ok("volume", f"{storage.address} takes, finds and gives objects, and keeps a name for the first")
        finally:
            storage.remove(marker)
    except OSError as error:
        return fail("volume", str(error), "Check TENFOLD_DATA, AWS_ENDPOINT_URL, the key and its rights.")
    return fail(
        "volume",
        f"{storage.address} lets the second take a name that the first has",
        "Take a service that heeds If-None-Match: two imports of one name would both count.",
    )


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
            f"Let user {os.getuid()} write there, on a file system that renames and syncs; a bucket is given as "
            "TENFOLD_DATA=s3://…, not mounted.",
        )
    finally:
        for path in (first, second):
            path.unlink(missing_ok=True)
    return (
        ok("volume", f"{root} is written, synced and renamed in")
        if whole
        else fail("volume", f"{root} gives back other bytes than were written", "Check the file system and its mount.")
    )
