"""The page of one job: live progress while it runs, then its results.

`jobs/page.html` is the whole page; `jobs/_live.html` is the part that changes while the job runs.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from pydantic import BaseModel
from werkzeug.wrappers import Response

from tenfold.durations import about
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.trainer.input_spec import DIGIT
from tenfold.web.api.documents.jobs import job_document
from tenfold.web.core.forms import as_text
from tenfold.web.core.services import services
from tenfold.web.pages.charts.curves import training_curves
from tenfold.web.pages.charts.layers import Drawing, draw_layers
from tenfold.web.pages.compare.differences import groups_of
from tenfold.web.pages.jobs.log_tail import log_tail
from tenfold.web.pages.jobs.training_report import TrainingReport, training_report
from tenfold.web.pages.parts.parameter_table import ParameterRow, parameter_rows
from tenfold.web.pages.parts.pictures import pictures_among
from tenfold.web.pages.review.forms import review_of
from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import UnknownDataset, UnknownModel
from tenfold.worker.jobs import submission
from tenfold.worker.jobs.queue_position import queue_position
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.models.aliases import PRODUCTION
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.storage import StoredFile
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.sweeps.ranking import ranking
from tenfold.worker.sweeps.search_space import space_as_text

blueprint = Blueprint("job", __name__)

DECLARATIONS: dict[JobKind, type[BaseModel]] = {
    JobKind.TRAINING: TrainingParameters,
    JobKind.SWEEP: SweepParameters,
    JobKind.CLASSIFICATION: ClassificationParameters,
    JobKind.IMPORT: ImportParameters,
    JobKind.REVIEW: ReviewParameters,
    JobKind.COMPARISON: ComparisonParameters,
    JobKind.MODEL_IMPORT: ModelImportParameters,
    JobKind.CHECK: CheckParameters,
}

# Whose summary names a model.
MAKE_MODELS = (JobKind.TRAINING, JobKind.SWEEP, JobKind.MODEL_IMPORT)

# Drawn on the page itself, in the page's own colors.
DRAWN_AS_SVG = ("curves.png",)

# A longer Keras summary is only offered as a file.
MAX_SHOWN_BYTES = 50_000

# Jobs further back in the queue see only that there are more than this many before them.
MAX_QUEUE_POSITION = 100

# How many of a sweep's best trials its link to the comparison includes.
TRIALS_COMPARED = 6


@blueprint.get("/jobs/<job_id>")
def show(job_id: str) -> str:
    return render_template("jobs/page.html", **_page_context(services().jobs.get(job_id)))


@blueprint.get("/jobs/<job_id>/live")
def live(job_id: str) -> str:
    """Only the part that changes; `static/job.js` swaps it into the page of a running job."""
    return render_template("jobs/live.html", **_live_context(services().jobs.get(job_id)))


@blueprint.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    services().jobs.cancel(job_id)
    return _to_job(job_id)


@blueprint.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> Response:
    submission.retry(services(), job_id)
    return _to_job(job_id)


@blueprint.post("/jobs/<job_id>/delete")
def delete(job_id: str) -> Response:
    submission.delete(services(), job_id)
    return redirect(url_for("jobs.index"), HTTPStatus.SEE_OTHER)


def _to_job(job_id: str) -> Response:
    return redirect(url_for("job.show", job_id=job_id), HTTPStatus.SEE_OTHER)


def _page_context(job: Job) -> dict[str, Any]:
    files = services().volume.artifacts(job.id)
    live = _live_context(job)
    submitted = {name: as_text(value) for name, value in _submitted_parameters(job).items()}
    return live | {
        "files": {name: file.bytes for name, file in files.items()},
        "pictures": pictures_among(files, without=DRAWN_AS_SVG if live["curves"] else ()),
        "dataset": _imported(job),
        "review": review_of(job),
        "report": _report(job),
        "differences": groups_of(job) if job.kind is JobKind.COMPARISON else [],
        "promotable": _promotable(job),
        "keras_summary": _text(files.get("summary.txt")),
        "plan": _plan(job),
        "drawing": _drawing(job),
        "clone": submitted,
        "submitted": {_title(job, name): value for name, value in submitted.items() if value},
    }


def _live_context(job: Job) -> dict[str, Any]:
    """What changes while the job runs."""
    document = job_document(job, services().live)
    eta = document["progress"]["eta_seconds"]
    ranked = _ranking(job)
    return {
        "job": document | {"file": (job.source or {}).get("name")},
        "training": job.kind is JobKind.TRAINING,
        "queue_position": queue_position(services().database, job, MAX_QUEUE_POSITION, services().clock),
        "max_queue_position": MAX_QUEUE_POSITION,
        "left": None if eta is None else about(eta),
        "curves": _curves(job),
        "ranking": ranked,
        "compared": [row["job"] for row in ranked if row["epochs"]][:TRIALS_COMPARED],
        "log": log_tail(services().volume.storage.fetch(services().volume.log(job.id), may_change=True)),
    }


def _curves(job: Job) -> list[Any]:
    if job.kind is not JobKind.TRAINING:
        return []
    history = job.detail.get("history", [])
    return training_curves(
        history,
        epochs=len(history) if job.state is JobState.SUCCEEDED else job.total,
        validation="Test" if job.parameters.get("validation") == "test" else "Validation",
        summary=job.summary,
    )


def _report(job: Job) -> TrainingReport | None:
    if job.kind is not JobKind.TRAINING or job.state is not JobState.SUCCEEDED:
        return None
    try:
        return training_report(services().models.get(job.id).metrics)
    except UnknownModel:
        return None


def _promotable(job: Job) -> str | None:
    """The ID of the model that this job made, if it still exists and is not in production."""
    made: str | None = (job.summary or {}).get("model") if job.kind in MAKE_MODELS else None
    if made is None or PRODUCTION in services().aliases.by_model().get(made, ()):
        return None
    try:
        return services().models.get(made).id
    except UnknownModel:
        return None


def _text(file: StoredFile | None) -> str | None:
    """The content of a small text file; None if there is none."""
    if file is None or file.bytes > MAX_SHOWN_BYTES:
        return None
    with services().volume.storage.open(file.path) as opened:
        return opened.read().decode("utf-8", "replace").strip()


def _drawing(job: Job) -> Drawing | None:
    """The layers of the trained network; None if no plan describes it, or if its data set, which defines the number of
    classes, was deleted.
    """
    if job.kind is not JobKind.TRAINING or "recipe" not in job.parameters:
        return None
    parameters = TrainingParameters(**job.parameters)
    if not parameters.network_known:
        return None
    try:
        dataset = get_dataset(services().volume, parameters.dataset)
    except UnknownDataset:
        return None
    return draw_layers(parameters.plan(), classes=len(dataset.class_names), spec=dataset.input or DIGIT)


def _plan(job: Job) -> list[ParameterRow]:
    """All hyperparameters of a training, beside the values of its recipe."""
    if job.kind is not JobKind.TRAINING or "recipe" not in job.parameters:
        return []
    chosen = {name: job.parameters[name] for name in ("recipe", "dataset", "seed") if name in job.parameters}
    recipe = TrainingParameters(recipe=job.parameters["recipe"]).resolved().model_dump(mode="json")
    return parameter_rows([job.parameters, recipe | chosen])


def _imported(job: Job) -> DatasetEntry | None:
    """The data set that an import or a review created, if it still exists."""
    made = {JobKind.IMPORT: job.summary, JobKind.REVIEW: (job.summary or {}).get("dataset")}.get(job.kind)
    if not made:
        return None
    try:
        return get_dataset(services().volume, made["name"])
    except UnknownDataset:
        return None


def _ranking(job: Job) -> list[dict[str, Any]]:
    """The trials of a sweep, best first."""
    if job.kind is not JobKind.SWEEP:
        return []
    return ranking(services().jobs.trials(job.id), SweepParameters(**job.parameters))


def _submitted_parameters(job: Job) -> dict[str, Any]:
    """The parameters to enter in the form to submit the same job again."""
    if job.kind is JobKind.TRAINING:
        return TrainingParameters(**job.parameters).changes()
    if job.kind is JobKind.SWEEP:
        sweep = SweepParameters(**job.parameters)
        return sweep.changes() | {"space": space_as_text(sweep.space)}
    return {name: value for name, value in job.parameters.items() if value is not None}


def _title(job: Job, parameter: str) -> str:
    """The label of the parameter in the form."""
    field = DECLARATIONS[job.kind].model_fields.get(parameter)
    return field.title if field and field.title else parameter
