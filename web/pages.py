"""The pages, rendered on the server; `static/*.js` only refreshes them. Without JavaScript everything still works."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Response

from trainer.catalogue import DatasetEntry
from trainer.parameters import TrainingParameters
from trainer.recipes import RECIPES
from web.forms import Choice, FormField, form_fields, given_fields
from web.job_page import job_context, live_context
from web.problems import field_errors
from web.representations import job_line, model_document
from web.services import services
from web.uploads import take_images
from worker import submissions
from worker.datasets import list_datasets
from worker.errors import InvalidSubmission
from worker.parameters import ClassificationParameters

pages = Blueprint("pages", __name__)

JOBS_ON_A_PAGE = 25

# A good first training: a few seconds, and curves worth looking at.
SUGGESTED_RECIPE = "dropout-128"

Page = str | tuple[str, int] | Response


@pages.get("/")
def jobs() -> Page:
    """All jobs, the newest first."""
    found = services().jobs.list(before=request.args.get("cursor"), limit=JOBS_ON_A_PAGE + 1)
    page = found[:JOBS_ON_A_PAGE]
    following = page[-1].id if len(found) > JOBS_ON_A_PAGE else None
    return render_template("jobs.html", jobs=[job_line(job) for job in page], following=following)


@pages.get("/train")
def train_form() -> Page:
    return _train_page({"recipe": SUGGESTED_RECIPE} | given_fields(request.args))


@pages.post("/train")
def train() -> Page:
    try:
        parameters = TrainingParameters.model_validate(given_fields(request.form))
        job = submissions.submit_training(services(), parameters)
    except (ValidationError, InvalidSubmission) as error:
        return _train_page(given_fields(request.form), field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return _to_job(job.id)


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


@pages.get("/models")
def models() -> Page:
    """The registry."""
    default = services().models.default()
    found = [
        model_document(model, default=default is not None and model.id == default.id)
        for model in services().models.list()
    ]
    return render_template("models.html", models=found)


@pages.post("/models/<model_id>/default")
def make_default(model_id: str) -> Page:
    services().models.make_default(model_id)
    return redirect(url_for("pages.models"), HTTPStatus.SEE_OTHER)


def _train_page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    recipes = [Choice(recipe.name, f"{recipe.name}: {recipe.title}") for recipe in RECIPES.values()]
    datasets = [Choice(entry.name, _described(entry)) for entry in list_datasets(services().volume) if entry.usable]
    choices = {"recipe": recipes, "dataset": datasets}
    fields = _fields(TrainingParameters, choices, values, errors or _gone(values, datasets))
    changed = any(field.advanced and (field.value or field.error) for field in fields)
    return render_template("train.html", fields=fields, recipes=RECIPES.values(), errors=errors, changed=changed)


def _gone(values: Mapping[str, str], datasets: Sequence[Choice]) -> list[dict[str, str]]:
    """A link to this form may name a data set that has been deleted since."""
    name = values.get("dataset")
    if name is None or name in [choice.value for choice in datasets]:
        return []
    return [{"field": "dataset", "message": f"There is no data set {name!r} any more; choose another."}]


def _described(entry: DatasetEntry) -> str:
    return f"{entry.name}: {len(entry.class_names)} classes, {entry.train:,} training images"


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
