"""Resumable uploads (`partial_uploads`) on a volume that is a bucket, where no object can be appended to.

`uploads/<id>/` holds `about.json` and an object for each piece that has arrived, named by where it begins. Of two that
write at one place the first counts, whichever web they reached. A submission puts the pieces together to a file of its
own, and leaves `taken` beside them.
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

from worker.errors import OffsetConflict, UploadBusy, UploadTooLong
from worker.partial_uploads import ABOUT, CONTENT, ID, READ_BYTES, PartialUpload, unknown_upload
from worker.submissions import Upload
from worker.volume import Volume

# What arrives is put down whenever there is so much of it, so a killed web loses no more.
PIECE_BYTES = 16 * 2**20

TAKEN = "taken"


class PiecewiseUploadStore:
    """As `PartialUploadStore`.

    Args:
        expiry_seconds: one that nobody has written to for so long is removed.
    """

    def __init__(self, volume: Volume, expiry_seconds: float) -> None:
        self._directory = volume.uploads
        self._storage = volume.storage
        self.expiry_seconds = expiry_seconds

    def begin(self, name: str, length: int, owner: str | None = None) -> PartialUpload:
        """An empty upload of so many bytes."""
        upload_id = str(ULID()).lower()
        about = {"name": name, "bytes": length, "owner": owner}
        self._put(self._directory / upload_id / ABOUT, json.dumps(about).encode())
        return PartialUpload(upload_id, name, owner, length, 0, time.time())

    def get(self, upload_id: str) -> PartialUpload:
        """The upload as it is now.

        Raises:
            UnknownUpload: there is none with this id, or it has expired.
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

    def announced_bytes(self, owner: str) -> int:
        """How many bytes the uploads that this person began will have, when all has arrived; without those that a job
        was made of, where they are counted already."""
        announced = 0
        for upload_id in self._storage.names(self._directory):
            taken = self._storage.find(self._directory / upload_id / TAKEN)
            if ID.fullmatch(upload_id) and taken is None:
                upload = self.get(upload_id)
                announced += upload.bytes if upload.owner == owner else 0
        return announced

    def append(self, upload_id: str, offset: int, pieces: Iterable[bytes]) -> PartialUpload:
        """Write what arrives after the first `offset` bytes. What has arrived when `pieces` breaks off is kept.

        Raises:
            UnknownUpload: there is none with this id.
            UploadBusy: another request to this host is writing to it.
            OffsetConflict: it is not so many bytes that there are, or a request to another host was first.
            UploadTooLong: there are more bytes than were announced; those that were are kept.
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
        """Forget an upload; jobs that were made of it keep what they have.

        Raises:
            UnknownUpload: there is none with this id.
        """
        try:
            self._storage.remove(self._path(upload_id))
        except FileNotFoundError:
            raise unknown_upload(upload_id) from None

    def take(self, upload_id: str) -> Upload:
        """The whole file as a submission takes one.

        Raises:
            UnknownUpload: there is none with this id.
            UploadIncomplete: a part of it is missing.
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
        """Remove whatever nobody has written to for long: uploads, and what broken-off requests have left here."""
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
        """Put down what waits, and return where the next piece begins."""
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
                raise UploadBusy(f"Another request is writing to upload {upload_id}; wait for it to end.") from None
            yield

    def _path(self, upload_id: str) -> Path:
        if not ID.fullmatch(upload_id):
            raise unknown_upload(upload_id)
        return self._directory / upload_id


def _conflict(upload: PartialUpload) -> OffsetConflict:
    return OffsetConflict(f"{upload.received:,} bytes of upload {upload.id} are here; go on from there.")
