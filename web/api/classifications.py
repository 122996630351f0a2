"""`POST /classifications`."""

from flask import Response, request

from web.api import api
from web.api.answers import accepted, fields_beside_file, idempotency_key
from web.services import services
from web.uploads import take_images
from worker.parameters import ClassificationParameters
from worker.submissions import submit_classification


@api.post("/classifications")
def create_classification() -> Response:
    """Queue the classification of an archive, of loose images, or of a directory of the inbox.

    Files are multipart parts `file` with the parameters as form fields, or one is the raw body with the parameters in
    the query (`name` there is the file's name).
    """
    given = fields_beside_file(request)
    given.pop("name", None)
    parameters = ClassificationParameters.model_validate(given)
    upload = take_images(parameters.directory)
    return accepted(submit_classification(services(), parameters, upload, idempotency_key(request)))
