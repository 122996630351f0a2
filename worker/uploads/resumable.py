"""Resumable uploads: `uploads/<id>/` on the volume has `about.json` and `content`.

The size of `content`, synced to disk, is how much has arrived. A submission gets a hard link to it, which takes no
space; the upload can be submitted again until it expires.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from ulid import ULID

from tenfold.worker.errors import OffsetConflict, UnknownUpload, UploadBusy, UploadIncomplete, UploadTooLong
from tenfold.worker.storage.whole import atomic_write_directory, sync_directory
from tenfold.worker.uploads.upload import Upload

ID = re.compile(r"[0-9a-z]{26}")
ABOUT, CONTENT = "about.json", "content"
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class PartialUpload:
    """An upload; `touched_at` is the last write in seconds since the epoch, `owner` is None if anonymous."""

    id: str
    name: str
    owner: str | None
    bytes: int
    received: int
    touched_at: float

    @property
    def complete(self) -> bool:
        return self.received == self.bytes

    def require_all(self) -> None:
        """
        Raises:
            UploadIncomplete: bytes are missing.
        """
        if not self.complete:
            raise UploadIncomplete(
                f"{self.received:,} of {self.bytes:,} bytes of upload {self.id} have arrived; send the rest first."
            )


class PartialUploadStore:
    """Uploads under one directory.

    Args:
        directory: `uploads/` on the volume.
        expiry_seconds: how long after the last write an upload is removed.
    """

    def __init__(self, directory: Path, expiry_seconds: float) -> None:
        self._directory = directory
        self.expiry_seconds = expiry_seconds

    def begin(self, name: str, length: int, owner: str | None = None) -> PartialUpload:
        """Start an upload of `length` bytes."""
        upload_id = str(ULID()).lower()
        with atomic_write_directory(self._directory / upload_id) as directory:
            (directory / ABOUT).write_text(json.dumps({"name": name, "bytes": length, "owner": owner}))
            (directory / CONTENT).touch()
        return self.get(upload_id)

    def get(self, upload_id: str) -> PartialUpload:
        """The upload as it is now.

        Raises:
            UnknownUpload: there is no such upload, or it has expired.
        """
        directory = self._path(upload_id)
        try:
            about = json.loads((directory / ABOUT).read_text())
            content = (directory / CONTENT).stat()
        except FileNotFoundError:
            raise unknown_upload(upload_id) from None
        return PartialUpload(
            upload_id, about["name"], about.get("owner"), about["bytes"], content.st_size, content.st_mtime
        )

    def list_of(self, owner: str | None) -> list[PartialUpload]:
        """The uploads of this user, newest first."""
        found = []
        for name in sorted((path.name for path in self._directory.iterdir()), reverse=True):
            with suppress(UnknownUpload):
                found.append(self.get(name))
        return [upload for upload in found if upload.owner == owner]

    def announced_bytes(self, owner: str) -> int:
        """Announced bytes of this user's uploads, without those that a job uses, which counts them already."""
        announced = 0
        for path in self._directory.iterdir():
            try:
                about = json.loads((path / ABOUT).read_text())
                in_a_job = (path / CONTENT).stat().st_nlink > 1
            except (FileNotFoundError, NotADirectoryError):
                continue
            if about.get("owner") == owner and not in_a_job:
                announced += about["bytes"]
        return announced

    def append(self, upload_id: str, offset: int, pieces: Iterable[bytes]) -> PartialUpload:
        """Append bytes at `offset`. If `pieces` is interrupted, what has arrived is kept.

        Raises:
            UnknownUpload: there is no such upload.
            UploadBusy: another request is writing to it.
            OffsetConflict: another number of bytes has arrived.
            UploadTooLong: there are more bytes than announced; the announced ones are kept.
        """
        with self._locked(upload_id) as file:
            upload = self.get(upload_id)
            if upload.received != offset:
                raise OffsetConflict(
                    f"{upload.received:,} bytes of upload {upload_id} have arrived; continue from there."
                )
            try:
                file.seek(offset)
                _write(file, pieces, upload.bytes - offset)
            finally:
                file.flush()
                os.fsync(file.fileno())
        return self.get(upload_id)

    def remove(self, upload_id: str) -> None:
        """Remove an upload; jobs made from it keep their files.

        Raises:
            UnknownUpload: there is no such upload.
        """
        leaving = self._directory / f".{upload_id}.{uuid4().hex}"
        try:
            self._path(upload_id).rename(leaving)
        except FileNotFoundError:
            raise unknown_upload(upload_id) from None
        shutil.rmtree(leaving, ignore_errors=True)

    def take(self, upload_id: str) -> Upload:
        """The complete file, for a submission.

        Raises:
            UnknownUpload: there is no such upload.
            UploadIncomplete: bytes are missing.
        """
        upload = self.get(upload_id)
        upload.require_all()
        path = self._directory / f"{uuid4().hex}.part"
        os.link(self._path(upload_id) / CONTENT, path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        sync_directory(self._directory)
        return Upload(path, upload.name, upload.bytes, digest)

    def remove_expired(self, now: float) -> list[str]:
        """Remove expired uploads and leftovers of interrupted requests. Returns their names."""
        removed = []
        for path in self._directory.iterdir():
            written = path / CONTENT if (path / CONTENT).exists() else path
            try:
                if written.stat().st_mtime > now - self.expiry_seconds:
                    continue
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            except FileNotFoundError:
                continue
            removed.append(path.name)
        return removed

    def _path(self, upload_id: str) -> Path:
        if not ID.fullmatch(upload_id):
            raise unknown_upload(upload_id)
        return self._directory / upload_id

    @contextmanager
    def _locked(self, upload_id: str) -> Iterator[IO[bytes]]:
        try:
            file = (self._path(upload_id) / CONTENT).open("r+b")
        except FileNotFoundError:
            raise unknown_upload(upload_id) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadBusy(
                    f"Another request is writing to upload {upload_id}; wait until it has finished."
                ) from None
            yield file


def _write(file: IO[bytes], pieces: Iterable[bytes], room: int) -> None:
    for piece in pieces:
        file.write(piece[:room])
        if len(piece) > room:
            raise UploadTooLong("More bytes arrived than were announced with Upload-Length.")
        room -= len(piece)


def unknown_upload(upload_id: str) -> UnknownUpload:
    return UnknownUpload(f"There is no upload {upload_id[:64]!r}; it was removed or has expired.")
