"""`tenfold restore`: puts a backup into an empty database and volume, of whichever kind, and brings it up to date."""

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

from worker.database import Database
from worker.errors import BackupUnusable
from worker.records import Job
from worker.schema import upgrade
from worker.states import UNFINISHED, JobState, StepState
from worker.storage.whole import sync_directory, synced_beside
from worker.upkeep.backup import FILES, FORMAT, MANIFEST, ROWS, Backup
from worker.upkeep.begin_again import forget_steps
from worker.upkeep.row_files import REVISIONS, go_on_counting, load_rows, tables_of
from worker.volume import Volume

CHUNK_BYTES = 1 << 20
FOLDERS = ("datasets", "models", "jobs")

# By name, read once: `TarFile` looks a name up by going through all of them.
Members = Mapping[str, tarfile.TarInfo]


def restore(database: Database, volume: Volume, path: Path) -> Backup:
    """Put everything back as it was. Jobs that had not ended begin again; data sets that are there already stay.

    Raises:
        BackupUnusable: it is damaged or no backup, or there are rows, jobs or models where it is to go.
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
        raise BackupUnusable(f"{path} cannot be restored: {error}. Take another backup.") from error
    except BaseException:
        _remove(moved, volume)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    files = sum(name.startswith(FILES) for name in manifest["sha256"])
    return Backup(manifest["revision"], manifest["rows"], files, total)


def _verified(tar: tarfile.TarFile, members: Members) -> dict[str, Any]:
    """The manifest, once all that it lists is there and is what it was."""
    file = tar.extractfile(members[MANIFEST]) if MANIFEST in members else None
    if file is None:
        raise BackupUnusable("It has no manifest: it is no backup of Tenfold's, or was cut short.")
    manifest: dict[str, Any] = json.loads(file.read())
    if manifest["format"] != FORMAT:
        raise BackupUnusable(f"It has format {manifest['format']}; this version of Tenfold reads format {FORMAT}.")
    for name, expected in manifest["sha256"].items():
        digest = hashlib.sha256()
        for chunk in _chunks(tar, members, name):
            digest.update(chunk)
        if digest.hexdigest() != expected:
            raise BackupUnusable(f"{name} in it is damaged: its checksum is another. Take another backup.")
    return manifest


def _check_empty(connection: Connection, volume: Volume, path: Path) -> None:
    for table in tables_of(connection):
        rows = connection.scalar(select(func.count()).select_from(table))
        if rows:
            raise BackupUnusable(
                f"The database holds {rows} rows in {table.name}. Restore {path.name} into an empty one: give another "
                "TENFOLD_DATABASE_URL, or another --data directory."
            )
    for folder in (volume.models, volume.jobs):
        if volume.storage.names(folder):
            raise BackupUnusable(
                f"{volume.storage.address} has {folder.name}. Give another --data directory, or move it away."
            )


def _extract(tar: tarfile.TarFile, members: Members, manifest: dict[str, Any], staging: Path) -> int:
    """Put the files into `staging`, and on disk; how many bytes they have."""
    total = 0
    with synced_beside() as sync:
        for name in manifest["sha256"]:
            if not name.startswith(FILES):
                continue
            inside = PurePosixPath(name.removeprefix(FILES))
            if inside.is_absolute() or ".." in inside.parts or inside.parts[0] not in FOLDERS or len(inside.parts) < 2:
                raise BackupUnusable(f"{name} in it does not belong there. It was not written by `tenfold backup`.")
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
    """Make the tables as they were, fill them, and bring them up to date."""
    made = tables_of(connection)
    for table in reversed(made):  # empty, and perhaps of another revision
        table.drop(connection)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {REVISIONS}")
    upgrade(connection, manifest["revision"])
    for table in tables_of(connection):
        name = f"{ROWS}{table.name}.jsonl"
        if table.name in manifest["rows"]:
            file = tar.extractfile(members[name])
            assert file is not None
            load_rows(connection, table, file)
            go_on_counting(connection, table)
    upgrade(connection)
    with Session(connection) as session:
        _begin_again(session)
        session.flush()


def _begin_again(session: Session) -> None:
    """The work of jobs in progress is in no backup; neither is that of failed ones, which can be retried."""
    retriable = (JobState.FAILED, JobState.CANCELLED)
    for job_id, kind, state in session.execute(select(Job.id, Job.kind, Job.state)).all():
        if state in UNFINISHED:
            session.execute(update(Job).where(Job.id == job_id).values(state=JobState.QUEUED, done=0))
            forget_steps(session, job_id, kind, StepState.QUEUED)
        elif state in retriable:
            session.execute(update(Job).where(Job.id == job_id).values(done=0))
            forget_steps(session, job_id, kind, StepState.WAITING)


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
    """A log is published by being appended to."""
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
        raise BackupUnusable(f"{name} is missing in it. Take another backup.")
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
