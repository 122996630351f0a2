"""Receives uploads: written to the volume as they arrive, never held in memory, and hashed on the way."""

import hashlib
import os
from pathlib import Path
from typing import IO, Any, cast
from uuid import uuid4

from flask import Request, current_app, request

from tenfold.files.kinds import START_BYTES
from tenfold.files.packing import Pack, is_image
from tenfold.web.core.body_limits import KEEP_FILES_APART, MAX_BODY_BYTES, TAKE_FILES
from tenfold.web.core.services import own_upload, partial_uploads, services
from tenfold.worker.errors import InvalidSubmission, UnknownUpload, UploadIncomplete
from tenfold.worker.uploads.upload import Upload

CHUNK_BYTES = 1 << 20

# Sent by curl --data-binary by default.
SENT_AS_FORM = (
    "The file was sent with Content-Type: application/x-www-form-urlencoded, which is for forms. Add "
    "-H 'Content-Type: application/octet-stream', or send it as a part of a form: -F file=@images.zip"
)

# For messages.
IMAGES = "images, or a zip, tar or 7z of them"


class UploadRequest(Request):
    """A request whose uploaded files go to the volume, if its route receives files. Unused files are removed when it
    ends.

    Several files are added to one zip as they arrive, so that only a few are open at a time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.receiving: list[ReceivingFile] = []
        self.pack: PackOfFiles | None = None
        self.last: tuple[str, ReceivingFile] | None = None
        self.nameless: ReceivingFile | None = None
        self.files_received = 0

    def _load_form_data(self) -> None:
        """Parse a form.

        Raises:
            InvalidSubmission: a file was sent with the content type of a form.
        """
        urlencoded = self.mimetype == "application/x-www-form-urlencoded"
        if urlencoded and (self.content_length or 0) > MAX_BODY_BYTES:
            raise InvalidSubmission("file", SENT_AS_FORM)
        super()._load_form_data()
        unlike_a_form = not self.form or any(not name.isprintable() or "\ufffd" in name for name in self.form)
        if urlencoded and self.content_length and unlike_a_form:
            raise InvalidSubmission("file", SENT_AS_FORM)

    def receive(self, name: str = "") -> "ReceivingFile":
        """A new file to receive; the previous one, if any, is complete."""
        self.files_received += 1
        most = current_app.config["MAX_UPLOAD_FILES"]
        if self.files_received > most:
            raise InvalidSubmission("file", f"The request has more than {most:,} files. Pack them into one zip.")
        if self.nameless is not None:
            self._drop(self.nameless)
            self.nameless = None
        if name and self.endpoint not in KEEP_FILES_APART:
            self._pack_last()
        file = self._new_file()
        if name:
            self.last = (name, file)
        else:  # sent by browsers if no file was chosen; also the raw body
            self.nameless = file
        return file

    def take_all(self) -> "tuple[str, ReceivingFile] | None":
        """The name and content of the form's only file, or of a zip of all; None if there is none."""
        if self.pack is not None:
            self._pack_last()
            self.pack.close()
            return self.pack.name, self.pack.file
        return self.last

    def pack_one(self, name: str, file: "ReceivingFile") -> "ReceivingFile":
        """A zip of this file alone."""
        pack = PackOfFiles(self._new_file())
        pack.add(name, file)
        pack.close()
        return pack.file

    def _pack_last(self) -> None:
        if self.last is None:
            return
        if self.pack is None:
            self.pack = PackOfFiles(self._new_file())
        name, file = self.last
        self.last = None
        self.pack.add(name, file)
        self._drop(file)

    def _drop(self, file: "ReceivingFile") -> None:
        file.remove()
        self.receiving.remove(file)

    def _new_file(self) -> "ReceivingFile":
        file = ReceivingFile(services().volume.uploads)
        self.receiving.append(file)
        return file

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self.endpoint not in TAKE_FILES:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        return cast("IO[bytes]", self.receive(filename or ""))


class PackOfFiles:
    """A zip of the files of one request."""

    def __init__(self, file: "ReceivingFile") -> None:
        self.file = file
        self.files = 0
        self._pack = Pack(file.write)

    @property
    def name(self) -> str:
        return f"{self.files:,} files"

    def add(self, name: str, file: "ReceivingFile") -> None:
        file.seek(0)
        self._pack.add(name, cast("IO[bytes]", file), file.bytes)
        self.files += 1

    def close(self) -> None:
        self._pack.close()


class ReceivingFile:
    """A file being received, with the stream methods that Werkzeug's form parser and `FileStorage` use."""

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

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def starts_with(self, size: int) -> bytes:
        """Its first bytes."""
        self._file.seek(0)
        return self._file.read(size)

    def finish(self, name: str) -> Upload:
        """Make the file durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Upload(self.path, name, self.bytes, self._digest.hexdigest())


def take_upload(field: str = "file", *, what: str, name_argument: str = "name", upload_id: str | None = None) -> Upload:
    """The only file of this request: the named resumable upload, the multipart part `field`, or the raw body.

    Args:
        what: what is expected, for messages.
        name_argument: the query argument with the file name of a raw body.

    Raises:
        InvalidSubmission: there is no file, or it is empty, or there are several.
    """
    if upload_id is not None:
        return take_resumed(upload_id)
    name, file = _receive(field, what, name_argument)
    if _this_request().pack is not None:
        raise InvalidSubmission(field, f"Several files were sent. Send only one: {what}.")
    if file.bytes == 0:
        raise InvalidSubmission(field, f"The file is empty (0 bytes). Send {what}.")
    return file.finish(name)


def take_second(field: str, upload_id: str | None = None) -> Upload | None:
    """The file of another field than `file`: the named resumable upload, or the multipart part; None without one.

    Args:
        upload_id: of a complete resumable upload.

    Raises:
        InvalidSubmission: it is empty, or the upload is unknown or incomplete.
    """
    if upload_id is not None:
        return _resumed(upload_id, field)
    received = _this_request()
    part = received.files.get(field) if received.mimetype == "multipart/form-data" else None
    if part is None or not part.filename:
        return None
    file = cast("ReceivingFile", part.stream)
    if file.bytes == 0:
        raise InvalidSubmission(field, "The file is empty (0 bytes).")
    return file.finish(part.filename)


def take_resumed(upload_id: str) -> Upload:
    """The complete resumable upload with this id.

    Raises:
        InvalidSubmission: there is no such upload, it is incomplete or empty, or the request has a file too.
    """
    if _has_upload():
        raise InvalidSubmission("upload", "Send a file or the id of an upload, not both.")
    return _resumed(upload_id, "upload")


def _resumed(upload_id: str, field: str) -> Upload:
    try:
        own_upload(upload_id)
        upload = partial_uploads().take(upload_id)
    except (UnknownUpload, UploadIncomplete) as error:
        raise InvalidSubmission(field, str(error)) from error
    if upload.bytes == 0:
        upload.path.unlink()
        raise InvalidSubmission(field, f"Upload {upload_id} is empty (0 bytes).")
    return upload


def take_images(directory: str | None = None, field: str = "file", *, upload_id: str | None = None) -> Upload | None:
    """The images of this request as one archive: as sent, or a zip of the separate images.

    Args:
        directory: of the inbox; with it, no file is expected and None is returned.
        upload_id: of a resumable upload that is the archive.

    Raises:
        InvalidSubmission: there is no file, or it is empty, or there are several of file, upload and directory.
    """
    if upload_id is not None:
        if directory is not None:
            raise InvalidSubmission("directory", "Send the id of an upload or a directory of the inbox, not both.")
        return take_resumed(upload_id)
    if directory is not None:
        if _has_upload():
            raise InvalidSubmission("directory", "Send files or a directory of the inbox, not both.")
        return None
    name, file = _receive(field, IMAGES, "name")
    if file.bytes == 0:
        raise InvalidSubmission(field, f"The file is empty (0 bytes). Send {IMAGES}.")
    if is_image(file.starts_with(START_BYTES)):
        file = _this_request().pack_one(name, file)
    return file.finish(name)


def remove_unused_uploads(_error: BaseException | None = None) -> None:
    """At the end of each request: remove received files that no job has taken."""
    received = _this_request()
    if received.pack is not None:
        received.pack.close()
    for file in received.receiving:
        file.remove()


def _receive(field: str, what: str, name_argument: str) -> "tuple[str, ReceivingFile]":
    received = _this_request()
    if received.mimetype == "multipart/form-data":
        part = received.files.get(field)
        taken = received.take_all() if part is not None else None
        if part is not None and received.endpoint in KEEP_FILES_APART:
            taken = (part.filename, cast("ReceivingFile", part.stream)) if part.filename else None
        if taken is None:
            raise InvalidSubmission(field, f"No file was sent. Choose {what} and send it as {field!r}.")
        return taken
    file = received.receive()
    while chunk := received.stream.read(CHUNK_BYTES):
        file.write(chunk)
    return received.args.get(name_argument, "upload"), file


def _has_upload() -> bool:
    received = _this_request()
    if received.mimetype == "multipart/form-data":
        parts = received.files
        counted = ["file"] if received.endpoint in KEEP_FILES_APART else parts
        return any(name in parts and parts[name].filename for name in counted)
    return received.mimetype != "application/x-www-form-urlencoded" and bool(received.content_length)


def _this_request() -> UploadRequest:
    received = request._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(received, UploadRequest), current_app.request_class
    return received
