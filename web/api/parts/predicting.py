"""Classifies the image of this request with the predictor, for the API and for the page."""

import time
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from tenfold.web.core.services import services, settings
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.models.preparing import preparation_for
from tenfold.worker.predictions.parameters import PredictionParameters

# Allowed for the other fields of a form and its boundaries.
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
            raise InvalidSubmission("file", "No file was sent. Send an image as 'file'.")
        image: bytes = part.read()
    else:
        image = request.get_data(cache=False)
    if len(image) > most:
        raise _too_large(len(image), most)
    if not image:
        raise InvalidSubmission("file", "The file is empty (0 bytes). Send an image.")
    return image


def predict(parameters: PredictionParameters, image: bytes) -> dict[str, Any]:
    """The answer of `POST /predictions`; `milliseconds` is the time from here to the answer.

    Raises:
        InvalidSubmission: the model is unknown, there is no model, it can't be used with these parameters, or the image
            cannot be decoded.
        PredictorAway: no predictor answered.
        PredictionFailed: the predictor had an error.
    """
    started = time.perf_counter()
    model = services().models.serving(parameters.model)
    preparation_for(parameters.normalize, parameters.polarity, [model])
    resolved = parameters.model_dump(mode="json") | {"model": model.id}
    answer = services().predictions.ask(image, resolved)
    return answer | {"milliseconds": round((time.perf_counter() - started) * 1000, 1)}


def _too_large(received: int, most: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"The image has {received:,} bytes; the maximum is {most:,}. Send a smaller one.")
