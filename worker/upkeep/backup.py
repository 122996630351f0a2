"""`tenfold backup`: rows, models, data sets and jobs in one tar, with a checksum for each file.

The rows are a snapshot of one moment. Files are read after it; since files appear on the volume whole, every file that
a row refers to is included unless it was deleted meanwhile. Work in progress is not included: it is repeated after a
restore.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import Connection

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import current_revision
from tenfold.worker.storage.volume import Volume
from tenfold.worker.storage.whole import atomic_write
from tenfold.worker.upkeep.row_files import belonging_to, dump_rows, tables_of

FORMAT = 1
MANIFEST = "manifest.json"
ROWS = "rows/"
FILES = "files/"

# Rows of a table beyond this go to a temporary file.
MEMORY_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Backup:
    """What a backup contains. `rows` counts the rows of each table."""

    revision: str
    rows: dict[str, int]
    files: int
    bytes: int


def back_up(database: Database, volume: Volume, path: Path, *, now: float, with_jobs: bool = True) -> Backup:
    """Write a backup, which appears at `path` when it is complete. A name that ends in `.gz` or `.tgz` is compressed.

    Args:
        now: seconds since the epoch.
        with_jobs: whether to include jobs and all that belongs to them, or models and data sets only.
    """
    checksums: dict[str, str] = {}
    rows: dict[str, int] = {}
    total = 0
    with atomic_write(path, private=True) as file, _open(file, path) as tar, _snapshot(database) as connection:
        tables = tables_of(connection)
        left_out = set() if with_jobs else belonging_to("jobs", tables)
        for table in tables:
            if table.name in left_out:
                continue
            with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as lines:
                rows[table.name] = sum(1 for line in dump_rows(connection, table) if lines.write(line))
                size = lines.tell()
                lines.seek(0)
                checksums |= _add(tar, f"{ROWS}{table.name}.jsonl", cast("IO[bytes]", lines), size, now)
        revision = current_revision(connection) or ""
        for name, found in _files(volume, with_jobs):
            try:
                with volume.storage.open(found) as content:
                    size = content.seek(0, os.SEEK_END)
                    content.seek(0)
                    checksums |= _add(tar, FILES + name, content, size, now)
                    total += size
            except FileNotFoundError:
                continue  # deleted since the snapshot
        manifest = {"format": FORMAT, "made_at": now, "revision": revision, "rows": rows, "sha256": checksums}
        text = json.dumps(manifest, indent=1).encode()
        _add(tar, MANIFEST, io.BytesIO(text), len(text), now)
    return Backup(revision, rows, len(checksums) - len(rows), total)


@contextmanager
def _open(file: IO[bytes], path: Path) -> Iterator[tarfile.TarFile]:
    mode: Any = "w:gz" if path.suffix in (".gz", ".tgz") else "w"
    with tarfile.open(fileobj=file, mode=mode) as tar:
        yield tar


@contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """A connection with a snapshot of the rows."""
    engine = database.engine
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection


def _files(volume: Volume, with_jobs: bool) -> Iterator[tuple[str, Path]]:
    for directory in (volume.datasets, volume.models, *([volume.jobs] if with_jobs else [])):
        for file in volume.storage.files(directory):
            inside = file.path.relative_to(volume.root)
            if inside.parts[0] != "jobs" or inside.parts[2] != "work":
                yield str(inside), file.path


class _Hashing:
    """Computes the SHA-256 of a file as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int, now: float) -> dict[str, str]:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(now), 0o644
    hashing = _Hashing(content)
    tar.addfile(info, cast("IO[bytes]", hashing))
    return {name: hashing.digest.hexdigest()}
