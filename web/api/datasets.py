"""`/datasets`: list, import, show, delete."""

from flask import Blueprint, Response, jsonify, request, send_file
from werkzeug.exceptions import NotFound

from tenfold.trainer.data.files import PREVIEW
from tenfold.web.api.documents.datasets import DatasetDocument, DatasetList, dataset_document, dataset_item
from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, FileBody, operation, queued
from tenfold.web.api.parts.answers import accepted, fields_beside_file, idempotency_key
from tenfold.web.core.problems import with_code
from tenfold.web.core.services import services
from tenfold.web.core.uploads import take_upload
from tenfold.worker.datasets import datasets
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.datasets.submission import submit_import

routes = Blueprint("datasets", __name__)


@routes.get("/datasets")
@operation(
    "Data sets",
    "List the data sets",
    answers=[
        Answer(200, "All of them.", DatasetList, {"items": [examples.DATASET_ITEM], "next": None}, headers=("ETag",))
    ],
)
def list_datasets() -> Response:
    """All data sets, the built-in ones first."""
    entries = datasets.list_datasets(services().volume)
    answer: DatasetList = {"items": [dataset_item(entry) for entry in entries], "next": None}
    return jsonify(answer)


@routes.post("/datasets")
@operation(
    "Data sets",
    "Queue the import of a data set",
    body=FileBody(
        ImportParameters,
        "A zip of class folders, a zip of IDX files, an `.npz` or a `.csv`; no file with `upload`.",
        name_argument="filename",
        required=False,
        resumable=True,
        example={"name": "letters", "test_share": 0.2},
    ),
    headers=("Idempotency-Key",),
    answers=queued(
        {**examples.CLASSIFICATION_JOB, "kind": "import", "parameters": {"name": "letters", "test_share": 0.2}},
        JobDocument,
    ),
)
def create_dataset() -> Response:
    """Queue the import of a data set.

    Send the file as the multipart part `file` with the parameters as form fields, or as the raw body with the
    parameters in the query (`filename` is its name). Instead of a file, send `upload`, the id of a complete resumable
    upload.
    """
    given = fields_beside_file(request)
    given.pop("filename", None)
    upload_id = given.pop("upload", None)
    parameters = ImportParameters.model_validate(given)
    upload = take_upload(what="a data set", name_argument="filename", upload_id=upload_id)
    return accepted(submit_import(services(), parameters, upload, idempotency_key(request)))


@routes.get("/datasets/<name>")
@operation(
    "Data sets",
    "Show a data set",
    answers=[Answer(200, "The data set.", DatasetDocument, examples.DATASET, headers=("ETag",))],
    problems=(404,),
)
def get_dataset(name: str) -> Response:
    """One data set, with the report of its import."""
    return jsonify(dataset_document(datasets.get_dataset(services().volume, name)))


@routes.get("/datasets/<name>/preview.png")
@operation(
    "Data sets",
    "Show sample images",
    answers=[Answer(200, "The picture.", media_types=["image/png"], headers=("ETag",))],
    problems=(404,),
)
def get_dataset_preview(name: str) -> Response:
    """A picture of sample images of each class."""
    datasets.get_dataset(services().volume, name)
    path = services().volume.catalog() / name / PREVIEW
    if not path.is_file():
        missing = NotFound(f"There is no preview of {name} yet; it is drawn when the data set is fetched.")
        raise with_code(missing, "file_not_found")
    return send_file(path, mimetype="image/png", max_age=0, conditional=True)


@routes.delete("/datasets/<name>")
@operation("Data sets", "Delete a data set", answers=NO_CONTENT, problems=(404, 409))
def delete_dataset(name: str) -> tuple[str, int]:
    """Delete an imported data set that no unfinished training uses. Models trained on it stay."""
    datasets.delete_dataset(services(), name)
    return "", 204
