"""`/datasets`: list, upload, look at, delete."""

from flask import Response, jsonify, request, send_file
from werkzeug.exceptions import NotFound

from trainer.dataset_files import PREVIEW
from web.api import api
from web.api.answers import accepted, fields_beside_file, idempotency_key
from web.representations import dataset_document, dataset_line
from web.services import services
from web.uploads import take_upload
from worker.datasets import delete_dataset, get_dataset, list_datasets
from worker.parameters import ImportParameters
from worker.submissions import submit_import


@api.get("/datasets")
def list_all_datasets() -> Response:
    """All data sets, those that come with Tenfold first."""
    return jsonify({"datasets": [dataset_line(entry) for entry in list_datasets(services().volume)]})


@api.post("/datasets")
def create_dataset() -> Response:
    """Queue the import of a data set.

    The file is the multipart part `file` with the parameters as form fields, or the raw body with the parameters in
    the query (`filename` there is the file's name).
    """
    given = fields_beside_file(request)
    given.pop("filename", None)
    parameters = ImportParameters.model_validate(given)
    upload = take_upload(what="a data set", name_argument="filename")
    return accepted(submit_import(services(), parameters, upload, idempotency_key(request)))


@api.get("/datasets/<name>")
def get_one_dataset(name: str) -> Response:
    """One data set, with the report of its import."""
    return jsonify(dataset_document(get_dataset(services().volume, name)))


@api.get("/datasets/<name>/preview.png")
def get_preview(name: str) -> Response:
    """A picture of sample images of each class."""
    get_dataset(services().volume, name)
    path = services().volume.dataset(name) / PREVIEW
    if not path.is_file():
        raise NotFound(f"There is no preview of {name} yet; one is made when it is first fetched.")
    return send_file(path, mimetype="image/png", max_age=0, conditional=True)


@api.delete("/datasets/<name>")
def delete_one_dataset(name: str) -> tuple[str, int]:
    """Remove an uploaded data set that no unfinished training uses. Models trained on it stay."""
    delete_dataset(services(), name)
    return "", 204
