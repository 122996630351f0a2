"""`POST /models`: import a model that was made elsewhere."""

from flask import Blueprint, Response, request

from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import FileBody, operation, queued
from tenfold.web.api.parts.answers import accepted, fields_beside_file, idempotency_key
from tenfold.web.core.services import services
from tenfold.web.core.uploads import take_second, take_upload
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.model_import.submission import submit_model_import

routes = Blueprint("model_imports", __name__)

EXAMPLE = {"input": "32x32x3", "preprocessing": "resize", "classes": "cat,dog", "check": "pets"}


@routes.post("/models")
@operation(
    "Models",
    "Queue the import of a model",
    body=FileBody(
        ModelImportParameters,
        "A `.keras` file, a legacy `.h5` file of Keras, a zip of a SavedModel, or an ONNX file; no file with `upload`.",
        name_argument="filename",
        required=False,
        resumable=True,
        second=("check_file", "A zip of class folders to check the declaration on, instead of the data set `check`."),
        example=EXAMPLE,
    ),
    headers=("Idempotency-Key",),
    answers=queued(
        {**examples.CLASSIFICATION_JOB, "kind": "model_import", "parameters": EXAMPLE},
        JobDocument,
    ),
)
def create_model_import() -> Response:
    """Queue the import of a model that was made elsewhere. The job's summary names the model, and says what was
    measured, assumed, and probably declared wrongly.

    Send the file as the multipart part `file` with the parameters as form fields, or as the raw body with the
    parameters in the query (`filename` is its name). Instead of a file, send `upload`, the id of a complete resumable
    upload. To check the declaration on a zip of class folders instead of a data set, send it as the multipart part
    `check_file`, or the id of its upload as `check_upload`.
    """
    given = fields_beside_file(request)
    given.pop("filename", None)
    upload_id, sample_id = given.pop("upload", None), given.pop("check_upload", None)
    parameters = ModelImportParameters.model_validate(given)
    sample = take_second("check_file", upload_id=sample_id)
    upload = take_upload(what="a model", name_argument="filename", upload_id=upload_id)
    return accepted(submit_model_import(services(), parameters, upload, sample, idempotency_key(request)))
