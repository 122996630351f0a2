"""`/uploads`: resumable uploads of large files, by tus 1.0.0 (https://tus.io)."""

import base64
import binascii
from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, g, jsonify, request, url_for
from werkzeug.exceptions import BadRequest, PreconditionFailed, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import http_date

from tenfold.web.api.documents.uploads import UploadDocument, UploadList, upload_document
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, RawBody, operation
from tenfold.web.auth.guard import is_repeated_submission
from tenfold.web.core.problems import with_code
from tenfold.web.core.services import own_upload, partial_uploads, services, settings
from tenfold.worker.uploads.resumable import PartialUpload

routes = Blueprint("uploads", __name__)

TUS = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
PIECE = "application/offset+octet-stream"
CHUNK_BYTES = 1 << 20
MAX_NAME = 255

STATE_HEADERS = ("Tus-Resumable", "Upload-Offset", "Upload-Expires")


@routes.route("/uploads", methods=["OPTIONS"], provide_automatic_options=False)
def describe_uploads() -> Response:
    """The supported version and extensions of tus."""
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Allow"] = "GET, HEAD, OPTIONS, POST"
    response.headers["Tus-Resumable"] = response.headers["Tus-Version"] = TUS
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Max-Size"] = str(settings().max_upload_bytes)
    return response


@routes.get("/uploads")
@operation(
    "Uploads",
    "List your uploads",
    answers=[Answer(200, "All of them.", UploadList, {"items": [examples.UPLOAD], "next": None})],
)
def list_uploads() -> Response:
    """Your own uploads that have not expired, the newest first."""
    found = partial_uploads().list_of(g.get("owner"))
    answer: UploadList = {"items": [upload_document(upload, _expires_at(upload)) for upload in found], "next": None}
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.post("/uploads")
@operation(
    "Uploads",
    "Start an upload",
    headers=("Tus-Resumable", "Upload-Length", "Upload-Metadata", "Idempotency-Key"),
    answers=[
        Answer(201, "The upload, empty.", UploadDocument, examples.UPLOAD, headers=("Location", *STATE_HEADERS)),
    ],
    problems=(400, 412, 413),
)
def create_upload() -> Response:
    """Send the size (`Upload-Length`) and name (`Upload-Metadata`) of the file; `Location` is where to send its bytes.
    Any client of tus 1.0.0 can do this.

    When the upload is complete, send its id as `upload` in a classification or the import of a data set. It can be
    submitted again until it expires, a day after bytes last arrived. Only who started it can continue it.

    `Idempotency-Key` may be that of the submission to come: if a job has it already, the quota is not checked.
    """
    _check_version()
    length = _number("Upload-Length")
    most = settings().max_upload_bytes
    if length > most:
        raise RequestEntityTooLarge(f"The upload would have {length:,} bytes; the maximum is {most:,}.")
    owner = services().owner
    if owner is not None and not is_repeated_submission(owner):
        services().jobs.check_room(owner, length + partial_uploads().announced_bytes(owner))
    upload = partial_uploads().begin(_file_name(), length, owner)
    response = _answer(upload)
    response.status_code = HTTPStatus.CREATED
    response.headers["Location"] = url_for("api.uploads.get_upload", upload_id=upload.id)
    return response


@routes.get("/uploads/<upload_id>")
@operation(
    "Uploads",
    "Show an upload",
    answers=[
        Answer(200, "The upload.", UploadDocument, examples.UPLOAD, headers=(*STATE_HEADERS, "Upload-Length")),
    ],
    problems=(404,),
)
def get_upload(upload_id: str) -> Response:
    """`Upload-Offset` is where to continue. Clients of tus use `HEAD`."""
    return _answer(own_upload(upload_id))


@routes.patch("/uploads/<upload_id>")
@operation(
    "Uploads",
    "Send a piece",
    headers=("Tus-Resumable", "Upload-Offset"),
    body=RawBody(PIECE, "Any number of bytes from `Upload-Offset` on."),
    answers=[Answer(204, "The bytes are on disk.", headers=STATE_HEADERS)],
    problems=(404, 409, 412, 423),
)
def append_to_upload(upload_id: str) -> Response:
    """Bytes that arrive before the connection breaks are kept: get `Upload-Offset`, and continue there."""
    _check_version()
    if request.mimetype != PIECE:
        raise UnsupportedMediaType(f"Send the piece as Content-Type: {PIECE}.")
    own_upload(upload_id)
    upload = partial_uploads().append(upload_id, _number("Upload-Offset"), _pieces())
    response = _answer(upload)
    response.set_data(b"")
    response.status_code = HTTPStatus.NO_CONTENT
    return response


@routes.delete("/uploads/<upload_id>")
@operation("Uploads", "Delete an upload", answers=NO_CONTENT, problems=(404,))
def delete_upload(upload_id: str) -> Response:
    """Jobs that use it keep their copy."""
    own_upload(upload_id)
    partial_uploads().remove(upload_id)
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Tus-Resumable"] = TUS
    return response


def _check_version() -> None:
    if request.headers.get("Tus-Resumable") != TUS:
        refusal = Response(headers={"Tus-Version": TUS})
        error = PreconditionFailed(f"Uploads need tus {TUS}: send the header Tus-Resumable: {TUS}.", refusal)
        raise with_code(error, "unsupported_tus_version")


def _number(header: str) -> int:
    given = request.headers.get(header, "")
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise BadRequest(f"The header {header} must be a number of bytes, not {given[:64]!r}.")
    return int(given)


def _file_name() -> str:
    """`filename` of the metadata: pairs of a key and its value in base64."""
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value, validate=True).decode()[:MAX_NAME] or "upload"
            except (binascii.Error, UnicodeDecodeError):
                raise BadRequest("The filename in Upload-Metadata is not a base64-encoded UTF-8 name.") from None
    return "upload"


def _pieces() -> Iterator[bytes]:
    while piece := request.stream.read(CHUNK_BYTES):
        yield piece


def _expires_at(upload: PartialUpload) -> float:
    return upload.touched_at + settings().upload_expiry_seconds


def _answer(upload: PartialUpload) -> Response:
    expires_at = _expires_at(upload)
    response = jsonify(upload_document(upload, expires_at))
    response.headers["Tus-Resumable"] = TUS
    response.headers["Upload-Offset"] = str(upload.received)
    response.headers["Upload-Length"] = str(upload.bytes)
    response.headers["Upload-Expires"] = http_date(expires_at)
    response.headers["Cache-Control"] = "no-store"
    return response
