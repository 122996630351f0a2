"""`POST /classifications`."""

from flask import Response, request

from web.api import api
from web.api.answers import accepted, idempotency_key
from web.services import services
from web.uploads import take_upload
from worker.parameters import ClassificationParameters
from worker.submissions import submit_classification


@api.post("/classifications")
def create_classification() -> Response:
    """Queue the classification of a zip.

    The zip is the multipart part `file` with the parameters as form fields, or the raw body with the
    parameters in the query (`name` there is the file's name).
    """
    given = {**request.args.to_dict(), **request.form.to_dict()}
    given.pop("name", None)
    parameters = ClassificationParameters.model_validate(given)
    return accepted(submit_classification(services(), parameters, take_upload(), idempotency_key(request)))
