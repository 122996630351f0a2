"""The page that imports a model which was made elsewhere."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.web.core.forms import Choice, form_fields, given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services, settings
from tenfold.web.core.uploads import take_second, take_upload
from tenfold.worker.datasets.datasets import list_datasets
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.model_import.parameters import PREPROCESSINGS, ModelImportParameters
from tenfold.worker.model_import.submission import submit_model_import

blueprint = Blueprint("model_import", __name__)


@blueprint.get("/models/import")
def form() -> ResponseReturnValue:
    return _page(given_fields(request.args))


@blueprint.post("/models/import")
def submit() -> ResponseReturnValue:
    try:
        parameters = ModelImportParameters.model_validate(given_fields(request.form))
        job = submit_model_import(services(), parameters, take_upload(what="a model"), take_second("check_file"))
    except (ValidationError, InvalidSubmission) as error:
        return _page(given_fields(request.form), field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    usable = [entry for entry in list_datasets(services().volume) if entry.usable]
    choices = [Choice("", "No data set"), *(Choice(entry.name, entry.name) for entry in usable)]
    preparing = [Choice("", "Choose …"), *(Choice(name, name) for name in PREPROCESSINGS)]
    offered = {"check": choices, "preprocessing": preparing}
    fields = form_fields(ModelImportParameters, choices=offered, values=values, errors=errors)
    return render_template(
        "models/import.html",
        fields=fields,
        opened=any(field.advanced and (field.name in values or field.error) for field in fields),
        errors=errors,
        max_bytes=settings().max_upload_bytes,
    )
