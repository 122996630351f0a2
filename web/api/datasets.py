"""`/datasets`: list, upload, look at, delete."""

from flask import Response, jsonify, request, send_file
from werkzeug.exceptions import NotFound

from trainer.dataset_files import PREVIEW
from web.api import api, examples
from web.api.answers import accepted, fields_beside_file, idempotency_key
from web.api.operations import NO_CONTENT, Answer, FileBody, operation, queued
from web.documents import DatasetDocument, DatasetList, JobDocument
from web.problems import with_code
from web.representations import dataset_document, dataset_line
from web.services import services
from web.uploads import take_upload
from worker.datasets import delete_dataset, get_dataset, list_datasets
from worker.parameters import ImportParameters
from worker.submissions import submit_import


@api.get("/datasets")
@operation(
    "Data sets",
    "List the data sets",
    answers=[Answer(200, "All of them.", DatasetList, {"datasets": [examples.DATASET_LINE]}, headers=("ETag",))],
)
def list_all_datasets() -> Response:
    """All data sets, those that come with Tenfold first."""
    return jsonify({"datasets": [dataset_line(entry) for entry in list_datasets(services().volume)]})


@api.post("/datasets")
@operation(
    "Data sets",
    "Queue the import of a data set",
    body=FileBody(
        ImportParameters,
        "A zip of class folders, a zip of IDX files, an `.npz` or a `.csv`; nothing where `upload` is named.",
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

    The file is the multipart part `file` with the parameters as form fields, or the raw body with the parameters in
    the query (`filename` there is the file's name). Instead of a file, `upload` names a resumable upload that has
    arrived.
    """
    given = fields_beside_file(request)
    given.pop("filename", None)
    upload_id = given.pop("upload", None)
    parameters = ImportParameters.model_validate(given)
    upload = take_upload(what="a data set", name_argument="filename", upload_id=upload_id)
    return accepted(submit_import(services(), parameters, upload, idempotency_key(request)))


@api.get("/datasets/<name>")
@operation(
    "Data sets",
    "Look at a data set",
    answers=[Answer(200, "The data set.", DatasetDocument, examples.DATASET, headers=("ETag",))],
    problems=(404,),
)
def get_one_dataset(name: str) -> Response:
    """One data set, with the report of its import."""
    return jsonify(dataset_document(get_dataset(services().volume, name)))


@api.get("/datasets/<name>/preview.png")
@operation(
    "Data sets",
    "Look at sample images",
    answers=[Answer(200, "The picture.", media_types=["image/png"], headers=("ETag",))],
    problems=(404,),
)
def get_preview(name: str) -> Response:
    """A picture of sample images of each class."""
    get_dataset(services().volume, name)
    path = services().volume.catalogue() / name / PREVIEW
    if not path.is_file():
        missing = NotFound(f"There is no preview of {name} yet; one is made when it is first fetched.")
        raise with_code(missing, "file_not_found")
    return send_file(path, mimetype="image/png", max_age=0, conditional=True)


@api.delete("/datasets/<name>")
@operation("Data sets", "Remove a data set", answers=NO_CONTENT, problems=(404, 409))
def delete_one_dataset(name: str) -> tuple[str, int]:
    """Remove an uploaded data set that no unfinished training uses. Models trained on it stay."""
    delete_dataset(services(), name)
    return "", 204
