"""Limits the size of request bodies: large ones are accepted only by routes that receive files."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

# Maximum of a form or JSON object, held in memory.
MAX_BODY_BYTES = 1 << 16

# Routes that receive files. Their limits are the settings `max_upload_bytes` and `max_prediction_bytes`.
TAKE_FILES = frozenset(
    {
        "api.uploads.append_to_upload",
        "api.classifications.create_classification",
        "api.datasets.create_dataset",
        "api.predictions.create_prediction",
        "datasets.upload",
        "api.model_imports.create_model_import",
        "classify.submit",
        "model_import.submit",
        "predict.answer",
        "predict.answers_of_others",
    }
)

# Those of them whose files belong to fields of their own. Elsewhere several files become one zip.
KEEP_FILES_APART = frozenset({"api.model_imports.create_model_import", "model_import.submit"})


def refuse_large_bodies() -> None:
    """Call after authorization and before the body is read.

    Raises:
        RequestEntityTooLarge: by its `Content-Length`. A body of unknown length is refused when it exceeds the limit.
    """
    if request.endpoint is None or request.endpoint in TAKE_FILES:
        return
    request.max_content_length = MAX_BODY_BYTES
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge(
            f"The request body has {request.content_length:,} bytes; the maximum here is {MAX_BODY_BYTES:,}."
        )
