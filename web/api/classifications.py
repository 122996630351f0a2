"""`POST /classifications`."""

from flask import Response, request

from web.api import api, examples
from web.api.answers import accepted, fields_beside_file, idempotency_key
from web.api.operations import FileBody, operation, queued
from web.documents import JobDocument
from web.services import services
from web.uploads import take_images
from worker.parameters import ClassificationParameters
from worker.submissions import submit_classification


@api.post("/classifications")
@operation(
    "Classifications",
    "Queue a classification",
    body=FileBody(
        ClassificationParameters,
        "An archive, or images; nothing where `upload` or `directory` is named.",
        name_argument="name",
        several=True,
        required=False,
        resumable=True,
        example={"normalise": "model", "top_k": 3},
    ),
    headers=("Idempotency-Key",),
    answers=queued(examples.CLASSIFICATION_JOB, JobDocument),
)
def create_classification() -> Response:
    """Queue the classification of an archive, of loose images, of a resumable upload, or of a directory of the inbox.

    Files are multipart parts `file` with the parameters as form fields, or one is the raw body with the parameters in
    the query (`name` there is the file's name). Instead of a file, `upload` names a resumable upload that has arrived,
    or `directory` what lies in the inbox.
    """
    given = fields_beside_file(request)
    given.pop("name", None)
    upload_id = given.pop("upload", None)
    parameters = ClassificationParameters.model_validate(given)
    upload = take_images(parameters.directory, upload_id=upload_id)
    return accepted(submit_classification(services(), parameters, upload, idempotency_key(request)))
