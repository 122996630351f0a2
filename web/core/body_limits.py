"""Limits the size of request bodies: large ones are accepted only by routes that receive files."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

# Maximum of a form or JSON object, held in memory.
MAX_BODY_BYTES = 1 << 16

# The same for routes that take long lists, such as 1,000 corrections with the names of their classes.
LONG_LISTS = {"api.checks.create_dataset_version": 1 << 20}

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
    most = max_body_bytes()
    request.max_content_length = most
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge(
            f"The request body has {request.content_length:,} bytes; the maximum here is {most:,}."
        )


def max_body_bytes() -> int:
    """The limit of a form or JSON object for the current request."""
    return LONG_LISTS.get(request.endpoint or "", MAX_BODY_BYTES)
