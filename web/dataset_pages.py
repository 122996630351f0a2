"""The page of the data sets: a card for each, and the form that uploads one."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from web.forms import form_fields, given_fields
from web.problems import field_errors
from web.representations import dataset_line
from web.services import services
from web.uploads import take_upload
from worker.datasets import delete_dataset, list_datasets
from worker.errors import InvalidSubmission
from worker.parameters import ImportParameters
from worker.submissions import submit_import

dataset_pages = Blueprint("datasets", __name__)

Page = str | tuple[str, int] | Response


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


@dataset_pages.post("/datasets/<name>/delete")
def delete(name: str) -> Page:
    delete_dataset(services(), name)
    return redirect(url_for("datasets.index"), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    found = [dataset_line(entry) for entry in list_datasets(services().volume)]
    fields = form_fields(ImportParameters, choices={}, values=values, errors=errors)
    return render_template("datasets.html", datasets=found, fields=fields, errors=errors)
