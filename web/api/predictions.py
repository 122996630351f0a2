"""`POST /predictions`."""

from flask import Blueprint, Response, jsonify, request

from tenfold.web.api.documents.predictions import PredictionDocument
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import Answer, FileBody, operation
from tenfold.web.api.parts.answers import fields_beside_file
from tenfold.web.api.parts.predicting import predict, take_image
from tenfold.worker.predictions.parameters import PredictionParameters

routes = Blueprint("predictions", __name__)


@routes.post("/predictions")
@operation(
    "Classifications",
    "Classify one image",
    body=FileBody(PredictionParameters, "An image.", example={"normalize": "model"}),
    answers=[Answer(200, "What it shows.", PredictionDocument, examples.PREDICTION)],
    problems=(503,),
)
def create_prediction() -> Response:
    """Classify one image immediately; nothing is stored.

    Send the image as the multipart part `file` with the parameters as form fields, or as the raw body with the
    parameters in the query.
    """
    image = take_image()
    given = fields_beside_file(request)
    return jsonify(predict(PredictionParameters.model_validate(given), image))
