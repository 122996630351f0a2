"""The headers and parts of paths that the API's calls share, for the OpenAPI document."""

from typing import Any

from web.api.examples import ID as EXAMPLE_ID

ID = {"type": "string", "maxLength": 26, "minLength": 1}
INTEGER = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}

# As they stand in examples.
EXAMPLES = {"row": "17", "name": "mnist"} | dict.fromkeys(("job_id", "model_id", "upload_id", "webhook_id"), EXAMPLE_ID)

PARAMETERS: dict[str, dict[str, Any]] = {
    "job_id": {"description": "Id of a job.", "schema": ID},
    "model_id": {"description": "Id of a model.", "schema": ID},
    "upload_id": {"description": "Id of an upload.", "schema": ID},
    "webhook_id": {"description": "Id of a webhook.", "schema": ID},
    "row": {"description": "Number of an image in the results, from 0.", "schema": INTEGER},
    "name": {"description": "A name as the list gives it.", "schema": {"type": "string", "minLength": 1}},
}

HEADERS: dict[str, dict[str, Any]] = {
    "Location": {"description": "Where it is found.", "schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": {"description": "Seconds after which to ask again.", "schema": INTEGER},
    "ETag": {"description": "Names this state of the document, for `If-None-Match`.", "schema": TEXT},
    "If-None-Match": {"description": "An `ETag`: nothing is sent where it is still right.", "schema": TEXT},
    "If-Match": {
        "description": "An `ETag`, or `*`: nothing is changed where the state is another.",
        "schema": TEXT,
    },
    "Range": {"description": "A part of the file, such as `bytes=0-1023`.", "schema": TEXT},
    "Last-Event-ID": {
        "description": "The last event that was received: what it told is not told again.",
        "schema": TEXT,
    },
    "Idempotency-Key": {
        "description": "A repetition with the same key is answered with the same job.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "Tus-Resumable": {"description": "The version of tus that is spoken.", "schema": {"enum": ["1.0.0"]}},
    "Tus-Version": {"description": "The versions of tus that are spoken.", "schema": TEXT},
    "Tus-Extension": {"description": "The extensions of tus that are known.", "schema": TEXT},
    "Tus-Max-Size": {"description": "Most bytes of one upload.", "schema": INTEGER},
    "Tus-Checksum-Algorithm": {"description": "How pieces can be checked.", "schema": TEXT},
    "Upload-Length": {"description": "Bytes of the whole file.", "schema": INTEGER},
    "Upload-Offset": {"description": "Bytes that are on the server.", "schema": INTEGER},
    "Upload-Metadata": {"description": "`filename` and its value in base64.", "schema": TEXT},
    "Upload-Checksum": {"description": "An algorithm and this piece's digest in base64.", "schema": TEXT},
    "Upload-Expires": {"description": "When an upload that nobody goes on with is removed.", "schema": TEXT},
}

# Those without which a call that understands them is refused.
REQUIRED = frozenset({"Tus-Resumable", "Upload-Length", "Upload-Offset"})
