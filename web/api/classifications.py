"""`/classifications`: queue and list."""

from flask import Blueprint, Response, request

from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.jobs import LISTED, KindFilter, list_of_kind
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import FileBody, operation, queued
from tenfold.web.api.parts.answers import accepted, fields_beside_file, idempotency_key
from tenfold.web.core.services import services
from tenfold.web.core.uploads import take_images
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.states import JobKind

routes = Blueprint("classifications", __name__)


@routes.get("/classifications")
@operation("Classifications", "List the classifications", query=KindFilter, answers=LISTED)
def list_classifications() -> Response:
    """Jobs of this kind, the newest first: `GET /jobs?kind=classification`."""
    return list_of_kind(JobKind.CLASSIFICATION)


@routes.post("/classifications")
@operation(
    "Classifications",
    "Queue a classification",
    body=FileBody(
        ClassificationParameters,
        "An archive, or images; no file with `upload` or `directory`.",
        name_argument="name",
        several=True,
        required=False,
        resumable=True,
        example={"normalize": "model", "top_k": 3},
    ),
    headers=("Idempotency-Key",),
    answers=queued(examples.CLASSIFICATION_JOB, JobDocument),
)
def create_classification() -> Response:
    """Queue the classification of an archive, of images, of a resumable upload, or of a directory in the inbox.

    Send files as multipart parts `file` with the parameters as form fields, or one file as the raw body with the
    parameters in the query (`name` is its file name). Instead of a file, send `upload`, the id of a complete resumable
    upload, or `directory`, a path in the inbox.
    """
    given = fields_beside_file(request)
    given.pop("name", None)
    upload_id = given.pop("upload", None)
    parameters = ClassificationParameters.model_validate(given)
    upload = take_images(parameters.directory, upload_id=upload_id)
    return accepted(submit_classification(services(), parameters, upload, idempotency_key(request)))
