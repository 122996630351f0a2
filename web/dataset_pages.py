"""The pages of the data sets: a card for each and the form that uploads one, and one with its balance and samples."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from trainer.catalogue import DatasetEntry, count_classes
from web.forms import form_fields, given_fields
from web.problems import field_errors
from web.representations import dataset_line, model_document
from web.services import services, settings
from web.uploads import take_upload
from worker.datasets import delete_dataset, get_dataset, list_datasets
from worker.errors import InvalidSubmission
from worker.parameters import ImportParameters
from worker.submissions import submit_import

dataset_pages = Blueprint("datasets", __name__)

Page = str | tuple[str, int] | Response

MODELS_SHOWN = 10


@dataset_pages.get("/datasets")
def index() -> Page:
    """All data sets."""
    return _page(request.args)


@dataset_pages.post("/datasets")
def upload() -> Page:
    try:
        parameters = ImportParameters.model_validate(given_fields(request.form))
        job = submit_import(services(), parameters, take_upload(what="a data set"))
    except (ValidationError, InvalidSubmission) as error:
        return _page(request.form, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("pages.job", job_id=job.id), HTTPStatus.SEE_OTHER)


@dataset_pages.get("/datasets/<name>")
def show(name: str) -> Page:
    """One data set: its balance, samples of each class, what its import warned of, and the models trained on it."""
    entry = get_dataset(services().volume, name)
    trained = services().models.list(dataset=name, limit=MODELS_SHOWN)
    return render_template(
        "dataset.html",
        dataset=_shown(entry),
        report=entry.report,
        models=[model_document(model, default=False) for model in trained],
    )


@dataset_pages.post("/datasets/<name>/delete")
def delete(name: str) -> Page:
    delete_dataset(services(), name)
    return redirect(url_for("datasets.index"), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    found = [_shown(entry) for entry in list_datasets(services().volume)]
    fields = form_fields(ImportParameters, choices={}, values=values, errors=errors)
    return render_template(
        "datasets.html", datasets=found, fields=fields, errors=errors, max_bytes=settings().max_upload_bytes
    )


def _shown(entry: DatasetEntry) -> dict[str, Any]:
    """A data set as the API lists it, with its balance."""
    return dataset_line(entry) | {"balance": count_classes(entry, services().volume.catalogue())}
