"""Resumable uploads (`resumable`) in a bucket, where objects cannot be appended to.

`uploads/<id>/` has `about.json` and an object for each piece that has arrived, named by its offset. Of two writes at
one offset the first is kept. A submission joins the pieces into a file, and leaves `taken` beside them.
"""

import contextlib
import fcntl
import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ulid import ULID

from tenfold.worker.errors import OffsetConflict, UnknownUpload, UploadBusy, UploadTooLong
from tenfold.worker.storage.volume import Volume
from tenfold.worker.uploads.resumable import ABOUT, CONTENT, ID, READ_BYTES, PartialUpload, unknown_upload
from tenfold.worker.uploads.upload import Upload

# Bytes per piece: a killed web loses at most this much.
PIECE_BYTES = 16 * 2**20

TAKEN = "taken"


class PiecewiseUploadStore:
    """As `PartialUploadStore`.

    Args:
        expiry_seconds: how long after the last write an upload is removed.
    """

    def __init__(self, volume: Volume, expiry_seconds: float) -> None:
        self._directory = volume.uploads
        self._storage = volume.storage
        self.expiry_seconds = expiry_seconds

    def begin(self, name: str, length: int, owner: str | None = None) -> PartialUpload:
        """Start an upload of `length` bytes."""
        upload_id = str(ULID()).lower()
        about = {"name": name, "bytes": length, "owner": owner}
        self._put(self._directory / upload_id / ABOUT, json.dumps(about).encode())
        return PartialUpload(upload_id, name, owner, length, 0, time.time())

    def get(self, upload_id: str) -> PartialUpload:
        """The upload as it is now.

        Raises:
            UnknownUpload: there is no such upload, or it has expired.
        """
        directory = self._path(upload_id)
        try:
            with self._storage.open(directory / ABOUT) as file:
                about = json.load(file)
        except FileNotFoundError:
            raise unknown_upload(upload_id) from None
        files = self._storage.files(directory)
        received = sum(file.bytes for file in files if file.path.parent.name == CONTENT)
        touched_at = max((file.modified for file in files), default=0.0)
        return PartialUpload(upload_id, about["name"], about["owner"], about["bytes"], received, touched_at)

    def list_of(self, owner: str | None) -> list[PartialUpload]:
        """The uploads of this user, newest first."""
        found = []
        for name in sorted(self._storage.names(self._directory), reverse=True):
            with contextlib.suppress(UnknownUpload):
                found.append(self.get(name))
        return [upload for upload in found if upload.owner == owner]

    def announced_bytes(self, owner: str) -> int:
        """Announced bytes of this user's uploads, without those that a job uses, which counts them already."""
        announced = 0
        for upload_id in self._storage.names(self._directory):
            taken = self._storage.find(self._directory / upload_id / TAKEN)
            if ID.fullmatch(upload_id) and taken is None:
                upload = self.get(upload_id)
                announced += upload.bytes if upload.owner == owner else 0
        return announced

    def append(self, upload_id: str, offset: int, pieces: Iterable[bytes]) -> PartialUpload:
        """Append bytes at `offset`. If `pieces` is interrupted, what has arrived is kept.

        Raises:
            UnknownUpload: there is no such upload.
            UploadBusy: another request to this host is writing to it.
            OffsetConflict: another number of bytes has arrived.
            UploadTooLong: there are more bytes than announced; the announced ones are kept.
        """
        with self._locked(upload_id):
            upload = self.get(upload_id)
            if upload.received != offset:
                raise _conflict(upload)
            self._write(upload, offset, pieces)
            return self.get(upload_id)

    def _write(self, upload: PartialUpload, offset: int, pieces: Iterable[bytes]) -> None:
        room, waiting = upload.bytes - offset, bytearray()
        try:
            for piece in pieces:
                waiting += piece[:room]
                if len(piece) > room:
                    raise UploadTooLong("More bytes arrived than were announced with Upload-Length.")
                room -= len(piece)
                if len(waiting) >= PIECE_BYTES:
                    offset = self._put_piece(upload, offset, waiting)
        finally:
            self._put_piece(upload, offset, waiting)

    def remove(self, upload_id: str) -> None:
        """Remove an upload; jobs made from it keep their files.

        Raises:
            UnknownUpload: there is no such upload.
        """
        try:
            self._storage.remove(self._path(upload_id))
        except FileNotFoundError:
            raise unknown_upload(upload_id) from None

    def take(self, upload_id: str) -> Upload:
        """The complete file, for a submission.

        Raises:
            UnknownUpload: there is no such upload.
            UploadIncomplete: bytes are missing.
        """
        upload = self.get(upload_id)
        upload.require_all()
        path, digest = self._directory / f"{uuid4().hex}.part", hashlib.sha256()
        with path.open("xb") as file:
            for piece in self._storage.files(self._path(upload_id) / CONTENT):
                with self._storage.open(piece.path) as content:
                    while data := content.read(READ_BYTES):
                        digest.update(data)
                        file.write(data)
        with contextlib.suppress(FileExistsError):
            self._put(self._path(upload_id) / TAKEN, b"")
        return Upload(path, upload.name, upload.bytes, digest.hexdigest())

    def remove_expired(self, now: float) -> list[str]:
        """Remove expired uploads and leftovers of interrupted requests. Returns their names."""
        oldest = now - self.expiry_seconds
        here = (path for path in self._directory.iterdir() if path.is_file())
        left = [path for path in here if path.stat().st_mtime < oldest]
        for path in left:
            path.unlink(missing_ok=True)
        expired = [
            name
            for name in self._storage.names(self._directory)
            if self._storage.usage(self._directory / name)[1] < oldest
        ]
        for name in expired:
            self._storage.remove(self._directory / name)
        return [*(path.name for path in left), *expired]

    def _put_piece(self, upload: PartialUpload, offset: int, waiting: bytearray) -> int:
        """Store the waiting bytes, and return the offset of the next piece."""
        if not waiting:
            return offset
        try:
            self._put(self._path(upload.id) / CONTENT / f"{offset:020d}", bytes(waiting))
        except FileExistsError:
            raise _conflict(self.get(upload.id)) from None
        offset += len(waiting)
        waiting.clear()
        return offset

    def _put(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        try:
            self._storage.publish(path, replace=False)
        finally:
            path.unlink()

    @contextmanager
    def _locked(self, upload_id: str) -> Iterator[None]:
        path = self._path(upload_id).with_name(f".{upload_id}.lock")
        with path.open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadBusy(
                    f"Another request is writing to upload {upload_id}; wait until it has finished."
                ) from None
            yield

    def _path(self, upload_id: str) -> Path:
        if not ID.fullmatch(upload_id):
            raise unknown_upload(upload_id)
        return self._directory / upload_id


def _conflict(upload: PartialUpload) -> OffsetConflict:
    return OffsetConflict(f"{upload.received:,} bytes of upload {upload.id} have arrived; continue from there.")
