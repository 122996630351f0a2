"""The headers and path parameters of the API, for the OpenAPI document."""

from typing import Any

from tenfold.web.api.openapi.examples import ID as EXAMPLE_ID

ID = {"type": "string", "maxLength": 26, "minLength": 1}
INTEGER = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
NAME = {"type": "string", "minLength": 1}

# For examples.
EXAMPLES = {
    "row": "17",
    "rank": "0",
    "index": "0",
    "part": "test",
    "name": "mnist",
    "alias": "production",
} | dict.fromkeys(("job_id", "model_id", "upload_id", "webhook_id"), EXAMPLE_ID)

PARAMETERS: dict[str, dict[str, Any]] = {
    "job_id": {"description": "Id of a job.", "schema": ID},
    "model_id": {"description": "Id or alias of a model.", "schema": NAME},
    "alias": {"description": "Name of an alias.", "schema": NAME},
    "upload_id": {"description": "Id of an upload.", "schema": ID},
    "webhook_id": {"description": "Id of a webhook.", "schema": ID},
    "rank": {"description": "Number of an image among the differences, from 0.", "schema": INTEGER},
    "index": {"description": "Number of an image in its part, from 0.", "schema": INTEGER},
    "part": {"description": "Training or test images.", "schema": {"enum": ["train", "test"]}},
    "row": {"description": "Number of an image in the results, from 0.", "schema": INTEGER},
    "name": {"description": "A name from the list.", "schema": NAME},
}

HEADERS: dict[str, dict[str, Any]] = {
    "Location": {
        "description": "The address of the new resource.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {"description": "Seconds until the next request makes sense.", "schema": INTEGER},
    "ETag": {"description": "Identifies this state of the document.", "schema": TEXT},
    "If-None-Match": {"description": "An `ETag`: if it is still current, the answer is `304`.", "schema": TEXT},
    "If-Match": {
        "description": "An `ETag`, or `*`: if it is not current, nothing changes and the answer is `412`.",
        "schema": TEXT,
    },
    "Range": {"description": "A part of the file, such as `bytes=0-1023`.", "schema": TEXT},
    "Last-Event-ID": {
        "description": "The last event received; it is not sent again.",
        "schema": TEXT,
    },
    "Idempotency-Key": {
        "description": "Repeating the request with the same key returns the same job.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "Tus-Resumable": {"description": "The version of tus.", "schema": {"enum": ["1.0.0"]}},
    "Tus-Version": {"description": "The supported versions of tus.", "schema": TEXT},
    "Tus-Extension": {"description": "The supported extensions of tus.", "schema": TEXT},
    "Tus-Max-Size": {"description": "Maximum bytes of one upload.", "schema": INTEGER},
    "Tus-Checksum-Algorithm": {"description": "Supported checksum algorithms.", "schema": TEXT},
    "Upload-Length": {"description": "Size of the complete file in bytes.", "schema": INTEGER},
    "Upload-Offset": {"description": "Number of bytes on the server.", "schema": INTEGER},
    "Upload-Metadata": {"description": "`filename` and the base64-encoded name.", "schema": TEXT},
    "Upload-Checksum": {"description": "An algorithm and the base64-encoded digest of this piece.", "schema": TEXT},
    "Upload-Expires": {"description": "When the upload is deleted unless it is continued.", "schema": TEXT},
}

# Required by the calls that use them.
REQUIRED = frozenset({"Tus-Resumable", "Upload-Length", "Upload-Offset"})
