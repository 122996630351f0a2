"""`POST /predictions`."""

from flask import Response, jsonify, request

from web.api import api, examples
from web.api.answers import fields_beside_file
from web.api.operations import Answer, FileBody, operation
from web.documents import PredictionDocument
from web.predicting import predict, take_image
from worker.parameters import PredictionParameters


@api.post("/predictions")
@operation(
    "Classifications",
    "Classify one image at once",
    body=FileBody(PredictionParameters, "An image.", example={"normalise": "model"}),
    answers=[Answer(200, "What it shows.", PredictionDocument, examples.PREDICTION)],
    problems=(503,),
)
def create_prediction() -> Response:
    """Say at once which class one image is of.

    The image is the multipart part `file` with the parameters as form fields, or the raw body with the parameters in
    the query.
    """
    image = take_image()
    given = fields_beside_file(request)
    return jsonify(predict(PredictionParameters.model_validate(given), image))
