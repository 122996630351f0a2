"""Asks the predictor about the image in this request, for the API and the page alike."""

import time
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from web.services import services, settings
from worker.errors import InvalidSubmission
from worker.parameters import PredictionParameters

# What the other fields of a form and its boundaries may take.
FORM_BYTES = 1 << 16


def take_image() -> bytes:
    """The image of this request, held in memory: the multipart part `file`, else the raw body.

    Raises:
        InvalidSubmission: there is none, or it is empty.
        RequestEntityTooLarge: it is larger than the setting `max_prediction_bytes`.
    """
    most = settings().max_prediction_bytes
    request.max_content_length = most + FORM_BYTES
    if (request.content_length or 0) > most + FORM_BYTES:
        raise _too_large(request.content_length or 0, most)
    if request.mimetype == "multipart/form-data":
        part = request.files.get("file")
        if part is None or not part.filename:
            raise InvalidSubmission("file", "No file was sent. Choose an image and send it as 'file'.")
        image: bytes = part.read()
    else:
        image = request.get_data(cache=False)
    if len(image) > most:
        raise _too_large(len(image), most)
    if not image:
        raise InvalidSubmission("file", "The file that was sent is empty (0 bytes). Send an image.")
    return image


def predict(parameters: PredictionParameters, image: bytes) -> dict[str, Any]:
    """The answer of `POST /predictions`; `milliseconds` is the time from here to the answer.

    Raises:
        InvalidSubmission: the model is unknown, there is none yet, or the image cannot be read.
        PredictorAway: no predictor has answered.
        PredictionFailed: the predictor met an error.
    """
    started = time.perf_counter()
    model = services().models.serving(parameters.model)
    resolved = parameters.model_dump(mode="json") | {"model": model.id}
    answer = services().predictions.ask(image, resolved)
    return answer | {"milliseconds": round((time.perf_counter() - started) * 1000, 1)}


def _too_large(received: int, most: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"The image has {received:,} bytes; the most is {most:,}. Send a smaller one.")
