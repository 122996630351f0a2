"""Uploads are written to the volume as they arrive, never held in memory, and hashed on the way."""

import hashlib
import os
from pathlib import Path
from typing import IO, Any, cast
from uuid import uuid4

from flask import Request, current_app, request

from web.services import services
from worker.errors import InvalidSubmission
from worker.submissions import Upload

CHUNK_BYTES = 1 << 20


class UploadRequest(Request):
    """A request whose uploaded files go to the volume. What is not taken with `take_upload` is removed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.receiving: list[ReceivingFile] = []

    def receive(self) -> "ReceivingFile":
        file = ReceivingFile(services().volume.uploads)
        self.receiving.append(file)
        return file

    def _get_file_stream(self, *_args: object, **_kwargs: object) -> IO[bytes]:
        return cast("IO[bytes]", self.receive())


class ReceivingFile:
    """A file being received; offers what Werkzeug's form parser and `FileStorage` use of a stream."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / f"{uuid4().hex}.part"
        self._file = self.path.open("x+b")
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.bytes += len(data)
        return self._file.write(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def close(self) -> None:
        self._file.close()

    def finish(self, name: str) -> Upload:
        """Make the file durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Upload(self.path, name, self.bytes, self._digest.hexdigest())


def take_upload(field: str = "file", *, what: str = "a zip of images", name_argument: str = "name") -> Upload:
    """The one file of this request: the multipart part named `field`, else the raw body.

    Args:
        what: what is to be sent, for messages.
        name_argument: which argument of the query names the raw body's file.

    Raises:
        InvalidSubmission: there is no file, or it is empty.
    """
    received = _this_request()
    if received.mimetype == "multipart/form-data":
        part = received.files.get(field)
        if part is None or not part.filename:
            raise InvalidSubmission(field, f"No file was sent. Choose {what} and send it as {field!r}.")
        file, name = cast(ReceivingFile, part.stream), part.filename
    else:
        file, name = received.receive(), received.args.get(name_argument, "upload")
        while chunk := received.stream.read(CHUNK_BYTES):
            file.write(chunk)
    if file.bytes == 0:
        raise InvalidSubmission(field, f"The file that was sent is empty (0 bytes). Send {what}.")
    return file.finish(name)


def remove_untaken_uploads(_error: BaseException | None = None) -> None:
    """At the end of each request: whatever was received and not moved to a job goes."""
    for file in _this_request().receiving:
        file.close()
        file.path.unlink(missing_ok=True)


def _this_request() -> UploadRequest:
    received = request._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(received, UploadRequest), current_app.request_class
    return received
