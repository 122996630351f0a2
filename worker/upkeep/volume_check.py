"""Checks the volume: whether it keeps files as Tenfold needs, and how much space is free."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from tenfold.worker.settings import Settings
from tenfold.worker.storage.opening import open_volume
from tenfold.worker.storage.volume import Volume
from tenfold.worker.storage.whole import sync_directory
from tenfold.worker.upkeep.findings import Finding, fail, ok, warn

GIB = 2**30

# With less than this a large upload may fill the disk.
LOW_BYTES = 5 * GIB
LOW_SHARE = 0.05


def check_volume(settings: Settings) -> Iterator[Finding]:
    if settings.bucket is not None:
        yield _check_bucket(settings)
        return
    root = settings.root.resolve()
    if not root.is_dir():
        yield fail(
            "volume",
            f"{root} does not exist",
            "Start `tenfold up` or a worker to create it, or set TENFOLD_DATA to where the volume is mounted.",
        )
        return
    yield _check_directory(root)
    usage = shutil.disk_usage(root)
    free = f"{usage.free / GIB:.1f} of {usage.total / GIB:.1f} GiB free in {root}"
    if usage.free < min(LOW_BYTES, usage.total * LOW_SHARE):
        yield fail("disk space", free, "Free some space: `tenfold gc --dry-run` lists what can be removed.")
    elif usage.free < LOW_BYTES or usage.free < usage.total * LOW_SHARE:
        yield warn("disk space", free, "Run `tenfold gc --dry-run`. For rules see docs/operations/maintenance.md.")
    else:
        yield ok("disk space", free)


def put_marker(volume: Volume) -> Path:
    """A file on the volume for the workers to find; the caller removes it."""
    marker = volume.marker(f".doctor.{uuid4().hex}")
    marker.touch()
    volume.storage.publish(marker)
    return marker


def _check_bucket(settings: Settings) -> Finding:
    try:
        volume = open_volume(settings)
        volume.create()
        marker, storage = put_marker(volume), volume.storage
        try:
            if storage.find(marker) is None:
                return fail(
                    "volume",
                    f"{storage.address} does not find an object that was just written",
                    "Use a strongly consistent service, such as S3, MinIO or Ceph.",
                )
            marker.write_bytes(b"again")
            storage.publish(marker, replace=False)
        except FileExistsError:
            return ok("volume", f"{storage.address} reads and writes objects, and refuses to overwrite a name")
        finally:
            storage.remove(marker)
    except OSError as error:
        return fail("volume", str(error), "Check TENFOLD_DATA, AWS_ENDPOINT_URL, the key and its permissions.")
    return fail(
        "volume",
        f"{storage.address} overwrites a name that should be refused",
        "Use a service that supports If-None-Match: otherwise two imports of one name would both succeed.",
    )


def _check_directory(root: Path) -> Finding:
    first, second = (root / f".doctor.{uuid4().hex}" for _ in range(2))
    try:
        with first.open("xb") as file:
            file.write(b"Tenfold")
            file.flush()
            os.fsync(file.fileno())
        first.rename(second)
        sync_directory(root)
        intact = second.read_bytes() == b"Tenfold"
    except OSError as error:
        return fail(
            "volume",
            f"cannot write, sync and rename files in {root}: {error.strerror}",
            f"Give user {os.getuid()} write permission, on a file system that supports rename and fsync. For a bucket "
            "set TENFOLD_DATA=s3://… instead of mounting it.",
        )
    finally:
        for path in (first, second):
            path.unlink(missing_ok=True)
    if not intact:
        return fail("volume", f"{root} returns other bytes than were written", "Check the file system and its mount.")
    return ok("volume", f"files in {root} can be written, synced and renamed")
