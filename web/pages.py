"""The pages, rendered on the server; `static/*.js` only refreshes them. Without JavaScript everything still works."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Response

from web.forms import Choice, FormField, form_fields, given_fields
from web.job_page import job_context, live_context
from web.problems import field_errors
from web.services import services
from web.uploads import take_images
from worker import submissions
from worker.errors import InvalidSubmission
from worker.parameters import ClassificationParameters

pages = Blueprint("pages", __name__)


Page = str | tuple[str, int] | Response


@pages.get("/classify")
def classify_form() -> Page:
    return _classify_page(request.args)


@pages.post("/classify")
def classify() -> Page:
    try:
        parameters = ClassificationParameters.model_validate(given_fields(request.form))
        job = submissions.submit_classification(services(), parameters, take_images(parameters.directory))
    except (ValidationError, InvalidSubmission) as error:
        return _classify_page(request.form, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return _to_job(job.id)


@pages.get("/jobs/<job_id>")
def job(job_id: str) -> Page:
    """One job: live progress while it runs, then what came of it."""
    return render_template("job.html", **job_context(services().jobs.get(job_id)))


@pages.get("/jobs/<job_id>/live")
def job_live(job_id: str) -> Page:
    """The part of a running job's page that changes; `static/job.js` puts it into the page."""
    return render_template("job_live.html", **live_context(services().jobs.get(job_id)))


@pages.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Page:
    services().jobs.cancel(job_id)
    return _to_job(job_id)


@pages.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> Page:
    submissions.retry(services(), job_id)
    return _to_job(job_id)


@pages.post("/jobs/<job_id>/delete")
def delete(job_id: str) -> Page:
    submissions.delete(services(), job_id)
    return redirect(url_for("pages.jobs"), HTTPStatus.SEE_OTHER)


def _classify_page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    found = services().models.list()
    offered = [
        Choice(model.id, f"{model.recipe}, {model.metrics['test_accuracy']:.2%} on test ({model.id})")
        for model in found
    ]
    fields = _fields(ClassificationParameters, {"model": offered}, values, errors)
    changed = any(field.advanced and (field.name in values or field.error) for field in fields)
    return render_template("classify.html", fields=fields, has_model=bool(found), errors=errors, changed=changed)


def _fields(
    declaration: type[BaseModel],
    choices: Mapping[str, Sequence[Choice]],
    values: Mapping[str, str],
    errors: Sequence[dict[str, str]],
) -> list[FormField]:
    return form_fields(declaration, choices=choices, values=values, errors=errors)


def _to_job(job_id: str) -> Response:
    return redirect(url_for("pages.job", job_id=job_id), HTTPStatus.SEE_OTHER)
