"""`tenfold restore`: loads a backup into an empty database and volume of any kind, and migrates it."""

import contextlib
import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job
from tenfold.worker.db.schema import upgrade
from tenfold.worker.db.states import UNFINISHED, JobState, StepState
from tenfold.worker.errors import BackupUnusable
from tenfold.worker.storage.volume import Volume
from tenfold.worker.storage.whole import sync_directory, synced_beside
from tenfold.worker.upkeep.backup import FILES, FORMAT, MANIFEST, ROWS, Backup
from tenfold.worker.upkeep.reset_job import reset_steps
from tenfold.worker.upkeep.row_files import REVISIONS, continue_sequence, load_rows, tables_of

CHUNK_BYTES = 1 << 20
FOLDERS = ("datasets", "models", "jobs")

# By name: `TarFile` searches all members for each lookup.
Members = Mapping[str, tarfile.TarInfo]


def restore(database: Database, volume: Volume, path: Path) -> Backup:
    """Restore a backup. Unfinished jobs start again; data sets that exist already are kept.

    Raises:
        BackupUnusable: it is damaged or not a backup, or the target has rows, jobs or models.
    """
    staging = volume.root / f".restore.{uuid4().hex}"
    moved: list[Path] = []
    try:
        with tarfile.open(path) as tar, database.exclusive_connection() as connection:
            members = {member.name: member for member in tar.getmembers()}
            manifest = _verified(tar, members)
            _check_empty(connection, volume, path)
            total = _extract(tar, members, manifest, staging)
            _rows(connection, tar, members, manifest)
            for path in _move(staging, volume):
                moved.append(path)
    except (tarfile.TarError, EOFError, OSError, KeyError, json.JSONDecodeError) as error:
        _remove(moved, volume)
        raise BackupUnusable(f"Cannot restore {path}: {error}. Use another backup.") from error
    except BaseException:
        _remove(moved, volume)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    files = sum(name.startswith(FILES) for name in manifest["sha256"])
    return Backup(manifest["revision"], manifest["rows"], files, total)


def _verified(tar: tarfile.TarFile, members: Members) -> dict[str, Any]:
    """The manifest, after checking that every file in it is present and has its checksum."""
    file = tar.extractfile(members[MANIFEST]) if MANIFEST in members else None
    if file is None:
        raise BackupUnusable("The file has no manifest: it is not a Tenfold backup, or is incomplete.")
    manifest: dict[str, Any] = json.loads(file.read())
    if manifest["format"] != FORMAT:
        raise BackupUnusable(
            f"The backup has format {manifest['format']}; this version of Tenfold reads format {FORMAT}."
        )
    for name, expected in manifest["sha256"].items():
        digest = hashlib.sha256()
        for chunk in _chunks(tar, members, name):
            digest.update(chunk)
        if digest.hexdigest() != expected:
            raise BackupUnusable(f"{name} in the backup is damaged: wrong checksum. Use another backup.")
    return manifest


def _check_empty(connection: Connection, volume: Volume, path: Path) -> None:
    for table in tables_of(connection):
        rows = connection.scalar(select(func.count()).select_from(table))
        if rows:
            raise BackupUnusable(
                f"The database is not empty: {table.name} has {rows} rows. Restore {path.name} into an empty one: set "
                "another TENFOLD_DATABASE_URL or --data directory."
            )
    for folder in (volume.models, volume.jobs):
        if volume.storage.names(folder):
            raise BackupUnusable(
                f"{volume.storage.address} already has {folder.name}. Set another --data directory, or move them away."
            )


def _extract(tar: tarfile.TarFile, members: Members, manifest: dict[str, Any], staging: Path) -> int:
    """Write the files to `staging` and sync them. Returns their bytes."""
    total = 0
    with synced_beside() as sync:
        for name in manifest["sha256"]:
            if not name.startswith(FILES):
                continue
            inside = PurePosixPath(name.removeprefix(FILES))
            if inside.is_absolute() or ".." in inside.parts or inside.parts[0] not in FOLDERS or len(inside.parts) < 2:
                raise BackupUnusable(
                    f"{name} does not belong in a backup: the file was not written by `tenfold backup`."
                )
            target = staging / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                for chunk in _chunks(tar, members, name):
                    total += file.write(chunk)
            sync(target)
    for directory in staging.rglob("*/"):
        sync_directory(directory)
    return total


def _rows(connection: Connection, tar: tarfile.TarFile, members: Members, manifest: dict[str, Any]) -> None:
    """Create the tables of the backup's revision, load the rows, and migrate."""
    made = tables_of(connection)
    for table in reversed(made):  # empty, possibly of another revision
        table.drop(connection)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {REVISIONS}")
    upgrade(connection, manifest["revision"])
    for table in tables_of(connection):
        name = f"{ROWS}{table.name}.jsonl"
        if table.name in manifest["rows"]:
            file = tar.extractfile(members[name])
            assert file is not None
            load_rows(connection, table, file)
            continue_sequence(connection, table)
    upgrade(connection)
    with Session(connection) as session:
        _reset_jobs(session)
        session.flush()


def _reset_jobs(session: Session) -> None:
    """Backups have no work files, so unfinished jobs, and failed ones that are retried, start from the beginning."""
    retriable = (JobState.FAILED, JobState.CANCELLED)
    for job_id, kind, state in session.execute(select(Job.id, Job.kind, Job.state)).all():
        if state in UNFINISHED:
            session.execute(update(Job).where(Job.id == job_id).values(state=JobState.QUEUED, done=0))
            reset_steps(session, job_id, kind, StepState.QUEUED)
        elif state in retriable:
            session.execute(update(Job).where(Job.id == job_id).values(done=0))
            reset_steps(session, job_id, kind, StepState.WAITING)


def _move(staging: Path, volume: Volume) -> Iterator[Path]:
    for folder in FOLDERS:
        directory = volume.root / folder
        there = volume.storage.names(directory)
        for entry in sorted((staging / folder).iterdir()) if (staging / folder).is_dir() else ():
            if entry.name not in there:
                entry.rename(directory / entry.name)
                yield directory / entry.name
                volume.storage.publish(directory / entry.name)
                _append_log(volume, entry.name)
        if directory.is_dir():
            sync_directory(directory)


def _append_log(volume: Volume, job_id: str) -> None:
    """In a bucket, logs are written by appending only."""
    log = volume.log(job_id)
    if log.exists():
        with volume.storage.append(log) as appended:
            if appended != log:
                shutil.copyfile(log, appended)


def _remove(moved: list[Path], volume: Volume) -> None:
    for path in moved:
        with contextlib.suppress(OSError):
            volume.storage.remove(path)


def _chunks(tar: tarfile.TarFile, members: Members, name: str) -> Iterator[bytes]:
    file = tar.extractfile(members[name]) if name in members else None
    if file is None:
        raise BackupUnusable(f"{name} is missing in the backup. Use another one.")
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
