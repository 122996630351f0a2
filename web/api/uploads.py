"""`/uploads`: large files in pieces, by tus 1.0.0 (https://tus.io), so that a broken-off upload goes on."""

import base64
import binascii
from collections.abc import Iterator
from http import HTTPStatus

from flask import Response, jsonify, request, url_for
from werkzeug.exceptions import BadRequest, PreconditionFailed, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import http_date

from web.access.guard import repeats_a_submission
from web.api import api, examples
from web.api.operations import NO_CONTENT, Answer, RawBody, operation
from web.documents import UploadDocument
from web.problems import with_code
from web.representations import timestamp
from web.services import own_upload, partial_uploads, services, settings
from worker.partial_uploads import PartialUpload

TUS = "1.0.0"
EXTENSIONS = "creation,expiration,termination"
PIECE = "application/offset+octet-stream"
CHUNK_BYTES = 1 << 20
LONGEST_NAME = 255

STATE_HEADERS = ("Tus-Resumable", "Upload-Offset", "Upload-Expires")


@api.route("/uploads", methods=["OPTIONS"], provide_automatic_options=False)
def describe_uploads() -> Response:
    """What of tus is spoken here."""
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Allow"] = "OPTIONS, POST"
    response.headers["Tus-Resumable"] = response.headers["Tus-Version"] = TUS
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Max-Size"] = str(settings().max_upload_bytes)
    return response


@api.post("/uploads")
@operation(
    "Uploads",
    "Begin an upload",
    headers=("Tus-Resumable", "Upload-Length", "Upload-Metadata", "Idempotency-Key"),
    answers=[
        Answer(201, "The upload, empty.", UploadDocument, examples.UPLOAD, headers=("Location", *STATE_HEADERS)),
    ],
    problems=(400, 412, 413),
)
def create_upload() -> Response:
    """Say how many bytes there will be (`Upload-Length`), and the file's name (`Upload-Metadata`); the answer says
    where to send them. Any client of tus 1.0.0 does that by itself.

    When all has arrived, name the upload's id as `upload` in a classification or the import of a data set. It can be
    submitted again until it expires, which is a day after something last arrived. Only who began it can go on with it.

    `Idempotency-Key`, where given, is the key of the submission to come: with that of an accepted one the quota is not
    checked.
    """
    _check_version()
    length = _number("Upload-Length")
    most = settings().max_upload_bytes
    if length > most:
        raise RequestEntityTooLarge(f"The upload would have {length:,} bytes; the most is {most:,}.")
    owner = services().owner
    if owner is not None and not repeats_a_submission(owner):
        services().jobs.check_room(owner, length + partial_uploads().announced_bytes(owner))
    upload = partial_uploads().begin(_file_name(), length, owner)
    response = _answer(upload)
    response.status_code = HTTPStatus.CREATED
    response.headers["Location"] = url_for("api.get_upload", upload_id=upload.id)
    return response


@api.get("/uploads/<upload_id>")
@operation(
    "Uploads",
    "Say how much has arrived",
    answers=[
        Answer(200, "The upload.", UploadDocument, examples.UPLOAD, headers=(*STATE_HEADERS, "Upload-Length")),
    ],
    problems=(404,),
)
def get_upload(upload_id: str) -> Response:
    """`Upload-Offset` is where to go on. Clients of tus ask with `HEAD`."""
    return _answer(own_upload(upload_id))


@api.patch("/uploads/<upload_id>")
@operation(
    "Uploads",
    "Send a piece",
    headers=("Tus-Resumable", "Upload-Offset"),
    body=RawBody(PIECE, "The bytes from `Upload-Offset` on, as many as you like."),
    answers=[Answer(204, "It has arrived, and is on disk.", headers=STATE_HEADERS)],
    problems=(404, 409, 412, 423),
)
def append_to_upload(upload_id: str) -> Response:
    """What has arrived when the connection breaks off is kept; ask for `Upload-Offset`, and go on there."""
    _check_version()
    if request.mimetype != PIECE:
        raise UnsupportedMediaType(f"A piece is sent as {PIECE}.")
    own_upload(upload_id)
    upload = partial_uploads().append(upload_id, _number("Upload-Offset"), _pieces())
    response = _answer(upload)
    response.set_data(b"")
    response.status_code = HTTPStatus.NO_CONTENT
    return response


@api.delete("/uploads/<upload_id>")
@operation("Uploads", "Remove an upload", answers=NO_CONTENT, problems=(404,))
def delete_upload(upload_id: str) -> Response:
    """Jobs that were made of it keep what they have."""
    own_upload(upload_id)
    partial_uploads().remove(upload_id)
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Tus-Resumable"] = TUS
    return response


def _check_version() -> None:
    if request.headers.get("Tus-Resumable") != TUS:
        refusal = Response(headers={"Tus-Version": TUS})
        error = PreconditionFailed(f"Uploads speak tus {TUS}; say so with the header Tus-Resumable.", refusal)
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
                return base64.b64decode(value, validate=True).decode()[:LONGEST_NAME] or "upload"
            except (binascii.Error, UnicodeDecodeError):
                raise BadRequest("The filename in Upload-Metadata is no base64 of a name in UTF-8.") from None
    return "upload"


def _pieces() -> Iterator[bytes]:
    while piece := request.stream.read(CHUNK_BYTES):
        yield piece


def _answer(upload: PartialUpload) -> Response:
    expires_at = upload.touched_at + settings().upload_expiry_seconds
    document: UploadDocument = {
        "id": upload.id,
        "name": upload.name,
        "bytes": upload.bytes,
        "received": upload.received,
        "complete": upload.complete,
        "expires_at": timestamp(expires_at),
        "links": {"self": url_for("api.get_upload", upload_id=upload.id)},
    }
    response = jsonify(document)
    response.headers["Tus-Resumable"] = TUS
    response.headers["Upload-Offset"] = str(upload.received)
    response.headers["Upload-Length"] = str(upload.bytes)
    response.headers["Upload-Expires"] = http_date(expires_at)
    response.headers["Cache-Control"] = "no-store"
    return response
