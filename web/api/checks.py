"""`/checks`: queue and list; `/datasets/{name}/versions`: make a data set with corrected labels."""

from flask import Blueprint, Response, jsonify, request

from tenfold.web.api.documents.datasets import DatasetDocument, DatasetList, dataset_document, dataset_item
from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.jobs import LISTED, KindFilter, list_of_kind
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import Answer, operation, queued
from tenfold.web.api.parts.answers import accepted, idempotency_key, json_body
from tenfold.web.core.services import services
from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.checks.submission import submit_check
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.datasets.versions import VersionParameters, make_version, versions_of
from tenfold.worker.db.states import JobKind

routes = Blueprint("checks", __name__)

CHECK = {"dataset": "letters"}


@routes.get("/checks")
@operation("Data sets", "List the checks", query=KindFilter, answers=LISTED)
def list_checks() -> Response:
    """Jobs of this kind, the newest first: `GET /jobs?kind=check`."""
    return list_of_kind(JobKind.CHECK)


@routes.post("/checks")
@operation(
    "Data sets",
    "Queue a check of a data set's labels",
    body=CheckParameters,
    example=CHECK,
    headers=("Idempotency-Key",),
    answers=queued({**examples.TRAINING_JOB, "kind": "check", "parameters": CHECK}, JobDocument),
)
def create_check() -> Response:
    """Queue a check: small networks judge images that they did not learn from, and confident learning lists the labels
    that are probably wrong, in the files `suspects.csv` and `suspects.json`."""
    parameters = CheckParameters.model_validate(json_body(request))
    return accepted(submit_check(services(), parameters, idempotency_key(request)))


@routes.get("/datasets/<name>/versions")
@operation(
    "Data sets",
    "List the versions of a data set",
    answers=[Answer(200, "All of them.", DatasetList, {"items": [examples.DATASET_ITEM], "next": None})],
    problems=(404,),
)
def list_dataset_versions(name: str) -> Response:
    """The data sets that were made from it with corrected labels."""
    get_dataset(services().volume, name)
    items = [dataset_item(entry) for entry in versions_of(services(), name)]
    answer: DatasetList = {"items": items, "next": None}
    return jsonify(answer)


@routes.post("/datasets/<name>/versions")
@operation(
    "Data sets",
    "Make a data set with corrected labels",
    body=VersionParameters,
    example={"name": "letters-2", "corrections": [{"part": "train", "index": 17, "label": "l"}]},
    answers=[Answer(201, "The new data set.", DatasetDocument, examples.DATASET, headers=("Location",))],
    problems=(404, 409),
)
def create_dataset_version(name: str) -> Response:
    """Copy a data set to a new name, with other labels for some images and without others. It stays as it is itself."""
    parameters = VersionParameters.model_validate(json_body(request))
    document = dataset_document(make_version(services(), name, parameters))
    response = jsonify(document)
    response.status_code = 201
    response.headers["Location"] = document["links"]["self"]
    return response
