"""The pages, rendered on the server; `static/*.js` only refreshes them. Without JavaScript everything still works."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, ValidationError
from werkzeug.wrappers import Response

from trainer.catalogue import DatasetEntry
from trainer.parameters import TrainingParameters
from trainer.recipes import RECIPES
from web.forms import Choice, FormField, as_text, form_fields, given_fields
from web.problems import field_errors
from web.representations import job_document, job_line, model_document
from web.review_forms import review_of
from web.services import services
from worker import submissions
from worker.datasets import get_dataset, list_datasets
from worker.errors import InvalidSubmission, UnknownDataset
from worker.ranking import ranking
from worker.records import Job
from worker.search_space import space_as_text
from worker.states import JobKind
from worker.sweep_parameters import SweepParameters

pages = Blueprint("pages", __name__)

JOBS_ON_A_PAGE = 25

# A good first training: a few seconds, and curves worth looking at.
SUGGESTED_RECIPE = "dropout-128"

PICTURES = {
    "curves.png": "Loss and accuracy by epoch",
    "confidence.png": "How many answers have which confidence, and which of them go to review",
    "uncertain.png": "The images that the model is least sure of, as it saw them",
    "confusion.png": "Images by true and predicted class",
    "mistakes.png": "The worst mistakes",
    "predictions.png": "Test images and what the model takes them for",
    "reliability.png": "Accuracy by confidence",
    "samples.png": "Training images of each class",
    "sweep.png": "What each trial reached, by its number and by the value of each hyper-parameter",
}

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


@pages.get("/jobs/<job_id>")
def job(job_id: str) -> Page:
    """One job: live progress while it runs, then what came of it."""
    found = services().jobs.get(job_id)
    files = services().volume.artefacts(job_id)
    return render_template(
        "job.html",
        job=job_document(found, services().live),
        files={name: path.stat().st_size for name, path in files.items()},
        pictures={name: text for name, text in PICTURES.items() if name in files},
        training=found.kind is JobKind.TRAINING,
        dataset=_imported(found),
        review=review_of(found),
        ranking=_ranking(found),
        again={name: as_text(value) for name, value in _given(found).items()},
    )


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


def _imported(job: Job) -> DatasetEntry | None:
    """The data set that an import or a review has made, while it is there."""
    made = {JobKind.IMPORT: job.summary, JobKind.REVIEW: (job.summary or {}).get("dataset")}.get(job.kind)
    if not made:
        return None
    try:
        return get_dataset(services().volume, made["name"])
    except UnknownDataset:
        return None


def _ranking(job: Job) -> list[dict[str, Any]]:
    """A sweep's trials as they are now, the best first."""
    if job.kind is not JobKind.SWEEP:
        return []
    return ranking(services().jobs.trials(job.id), SweepParameters(**job.parameters))


def _given(job: Job) -> dict[str, Any]:
    """The parameters that a person would have to enter for such a job."""
    if job.kind is JobKind.TRAINING:
        return TrainingParameters(**job.parameters).changes()
    if job.kind is JobKind.SWEEP:
        sweep = SweepParameters(**job.parameters)
        return sweep.changes() | {"space": space_as_text(sweep.space)}
    return {name: value for name, value in job.parameters.items() if value is not None}


def _fields(
    declaration: type[BaseModel],
    choices: Mapping[str, Sequence[Choice]],
    values: Mapping[str, str],
    errors: Sequence[dict[str, str]],
) -> list[FormField]:
    return form_fields(declaration, choices=choices, values=values, errors=errors)


def _to_job(job_id: str) -> Response:
    return redirect(url_for("pages.job", job_id=job_id), HTTPStatus.SEE_OTHER)


from web import classify_page  # noqa: E402, F401  (adds its pages to the blueprint above)
