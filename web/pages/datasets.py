"""The list of data sets with the upload form, and the page of one data set."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.trainer.data.catalog import DatasetEntry, count_classes
from tenfold.web.api.documents.datasets import dataset_item
from tenfold.web.api.documents.jobs import job_item
from tenfold.web.api.documents.models import model_document
from tenfold.web.core.forms import form_fields, given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services, settings
from tenfold.web.core.uploads import take_upload
from tenfold.worker.datasets.datasets import delete_dataset, get_dataset, list_datasets
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.datasets.submission import submit_import
from tenfold.worker.datasets.versions import versions_of
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission

blueprint = Blueprint("datasets", __name__)

MODELS_SHOWN = 10
CHECKS_SHOWN, CHECKS_LOOKED_AT = 3, 50


@blueprint.get("/datasets")
def index() -> ResponseReturnValue:
    return _page(request.args)


@blueprint.post("/datasets")
def upload() -> ResponseReturnValue:
    try:
        parameters = ImportParameters.model_validate(given_fields(request.form))
        job = submit_import(services(), parameters, take_upload(what="a data set"))
    except (ValidationError, InvalidSubmission) as error:
        return _page(request.form, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


@blueprint.get("/datasets/<name>")
def show(name: str) -> ResponseReturnValue:
    """One data set: class balance, samples, warnings of its import, and the models trained on it."""
    entry = get_dataset(services().volume, name)
    aliases = services().aliases.by_model()
    trained = services().models.list(dataset=name, limit=MODELS_SHOWN)
    return render_template(
        "datasets/page.html",
        dataset=_shown(entry),
        report=entry.report,
        checks=_checks_of(name),
        versions=[version.name for version in versions_of(services(), name)],
        job_item=job_item,
        models=[model_document(model, aliases.get(model.id, ())) for model in trained],
    )


def _checks_of(name: str) -> list[Job]:
    """The newest checks of its labels."""
    recent = services().jobs.list(kind=JobKind.CHECK, limit=CHECKS_LOOKED_AT)
    return [job for job in recent if job.parameters["dataset"] == name][:CHECKS_SHOWN]


@blueprint.post("/datasets/<name>/delete")
def delete(name: str) -> ResponseReturnValue:
    delete_dataset(services(), name)
    return redirect(url_for("datasets.index"), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    found = [_shown(entry) for entry in list_datasets(services().volume)]
    fields = form_fields(ImportParameters, choices={}, values=values, errors=errors)
    return render_template(
        "datasets/list.html", datasets=found, fields=fields, errors=errors, max_bytes=settings().max_upload_bytes
    )


def _shown(entry: DatasetEntry) -> dict[str, Any]:
    """A data set as the API lists it, with its class balance."""
    return dataset_item(entry) | {"balance": count_classes(entry, services().volume.catalog())}
