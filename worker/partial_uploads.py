"""Uploads that arrive in pieces, over days if need be: `uploads/<id>/` on the volume holds `about.json` and `content`.

How much has arrived is the size of `content`, which is on disk before anybody is told of it. A submission gets a second
name for the content (a hard link), so that it costs no space, and the upload can be submitted again until it expires.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from ulid import ULID

from worker.errors import OffsetConflict, UnknownUpload, UploadBusy, UploadIncomplete, UploadTooLong
from worker.storage.whole import sync_directory, write_directory_whole
from worker.submissions import Upload

ID = re.compile(r"[0-9a-z]{26}")
ABOUT, CONTENT = "about.json", "content"
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class PartialUpload:
    """An upload; `touched_at` is when something last arrived, in seconds since the epoch.

    `owner` is who began it; None is nobody in particular.
    """

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
            UploadIncomplete: a part of it is missing.
        """
        if not self.complete:
            raise UploadIncomplete(
                f"{self.received:,} of {self.bytes:,} bytes of upload {self.id} are here; send the others first."
            )


class PartialUploadStore:
    """Uploads under one directory.

    Args:
        directory: `uploads/` on the volume.
        expiry_seconds: one that nobody has written to for so long is removed.
    """

    def __init__(self, directory: Path, expiry_seconds: float) -> None:
        self._directory = directory
        self.expiry_seconds = expiry_seconds

    def begin(self, name: str, length: int, owner: str | None = None) -> PartialUpload:
        """An empty upload of so many bytes."""
        upload_id = str(ULID()).lower()
        with write_directory_whole(self._directory / upload_id) as directory:
            (directory / ABOUT).write_text(json.dumps({"name": name, "bytes": length, "owner": owner}))
            (directory / CONTENT).touch()
        return self.get(upload_id)

    def get(self, upload_id: str) -> PartialUpload:
        """The upload as it is now.

        Raises:
            UnknownUpload: there is none with this id, or it has expired.
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

    def announced_bytes(self, owner: str) -> int:
        """How many bytes the uploads that this person began will have, when all has arrived; without those that a job
        has as well, where they are counted already."""
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
        """Write what arrives after the first `offset` bytes. What has arrived when `pieces` breaks off is kept.

        Raises:
            UnknownUpload: there is none with this id.
            UploadBusy: another request is writing to it.
            OffsetConflict: it is not so many bytes that there are.
            UploadTooLong: there are more bytes than were announced; those that were are kept.
        """
        with self._locked(upload_id) as file:
            upload = self.get(upload_id)
            if upload.received != offset:
                raise OffsetConflict(f"{upload.received:,} bytes of upload {upload_id} are here; go on from there.")
            try:
                file.seek(offset)
                _write(file, pieces, upload.bytes - offset)
            finally:
                file.flush()
                os.fsync(file.fileno())
        return self.get(upload_id)

    def remove(self, upload_id: str) -> None:
        """Forget an upload; jobs that were made of it keep what they have.

        Raises:
            UnknownUpload: there is none with this id.
        """
        leaving = self._directory / f".{upload_id}.{uuid4().hex}"
        try:
            self._path(upload_id).rename(leaving)
        except FileNotFoundError:
            raise unknown_upload(upload_id) from None
        shutil.rmtree(leaving, ignore_errors=True)

    def take(self, upload_id: str) -> Upload:
        """The whole file as a submission takes one.

        Raises:
            UnknownUpload: there is none with this id.
            UploadIncomplete: a part of it is missing.
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
        """Remove whatever nobody has written to for long: uploads, and what broken-off requests have left."""
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
                raise UploadBusy(f"Another request is writing to upload {upload_id}; wait for it to end.") from None
            yield file


def _write(file: IO[bytes], pieces: Iterable[bytes], room: int) -> None:
    for piece in pieces:
        file.write(piece[:room])
        if len(piece) > room:
            raise UploadTooLong("More bytes arrived than were announced with Upload-Length.")
        room -= len(piece)


def unknown_upload(upload_id: str) -> UnknownUpload:
    return UnknownUpload(f"There is no upload {upload_id[:64]!r}; it was removed, or has expired.")
