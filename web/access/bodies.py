"""Bounds the body of a request by what its route expects: only where files are sent may it be large."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

# Of a form or a JSON object, held in memory.
MAX_BODY_BYTES = 1 << 16

# Routes that receive files. They bound what they read themselves, by the settings `max_upload_bytes` and
# `max_prediction_bytes`.
TAKE_FILES = frozenset(
    {
        "api.append_to_upload",
        "api.create_classification",
        "api.create_dataset",
        "api.create_prediction",
        "datasets.upload",
        "pages.classify",
        "predict.answer",
        "predict.answers_of_others",
    }
)


def refuse_large_bodies() -> None:
    """To be called once it is known that whoever asks may, and before anything reads the body.

    Raises:
        RequestEntityTooLarge: the body is said to be too long. One of unknown length is refused where it gets too long.
    """
    if request.endpoint is None or request.endpoint in TAKE_FILES:
        return
    request.max_content_length = MAX_BODY_BYTES
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge(
            f"The request's body has {request.content_length:,} bytes; here the most is {MAX_BODY_BYTES:,}."
        )
