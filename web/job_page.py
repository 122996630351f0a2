"""What a job's page shows: `job.html` is the whole page, `_live.html` the part of it that changes as the job runs."""

from typing import Any

from pydantic import BaseModel

from trainer.catalogue import DatasetEntry
from trainer.parameters import TrainingParameters
from web.curves import training_curves
from web.durations import about
from web.forms import as_text
from web.layer_drawing import Drawing, draw_layers
from web.log_tail import log_tail
from web.parameter_table import ParameterRow, parameter_rows
from web.pictures import pictures_among
from web.representations import job_document
from web.review_forms import review_of
from web.services import services
from web.training_report import TrainingReport, training_report
from worker.datasets import get_dataset
from worker.errors import UnknownDataset, UnknownModel
from worker.line import place_in_line
from worker.parameters import ClassificationParameters, ImportParameters, ReviewParameters
from worker.ranking import ranking
from worker.records import Job
from worker.search_space import space_as_text
from worker.states import JobKind, JobState
from worker.storage import StoredFile
from worker.sweep_parameters import SweepParameters

DECLARATIONS: dict[JobKind, type[BaseModel]] = {
    JobKind.TRAINING: TrainingParameters,
    JobKind.SWEEP: SweepParameters,
    JobKind.CLASSIFICATION: ClassificationParameters,
    JobKind.IMPORT: ImportParameters,
    JobKind.REVIEW: ReviewParameters,
}

# Drawn on the page itself, in the page's own colours.
DRAWN_HERE = ("curves.png",)

# A longer text is only offered as a file.
MOST_SHOWN_BYTES = 50_000

# Further back in the line nobody is told at which place.
PLACES_TOLD = 100

# How many of a sweep's best trials its link compares.
TRIALS_COMPARED = 6


def job_context(job: Job) -> dict[str, Any]:
    """Everything that `job.html` needs."""
    files = services().volume.artefacts(job.id)
    live = live_context(job)
    given = {name: as_text(value) for name, value in _given(job).items()}
    return live | {
        "files": {name: file.bytes for name, file in files.items()},
        "pictures": pictures_among(files, without=DRAWN_HERE if live["curves"] else ()),
        "dataset": _imported(job),
        "review": review_of(job),
        "report": _report(job),
        "promotable": _promotable(job),
        "keras_summary": _text(files.get("summary.txt")),
        "plan": _plan(job),
        "drawing": _drawing(job),
        "again": given,
        "given": {_title(job, name): value for name, value in given.items() if value},
    }


def live_context(job: Job) -> dict[str, Any]:
    """What changes while the job runs."""
    document = job_document(job, services().live)
    eta = document["progress"]["eta_seconds"]
    ranked = _ranking(job)
    return {
        "job": document | {"file": (job.source or {}).get("name")},
        "training": job.kind is JobKind.TRAINING,
        "queue_place": place_in_line(services().database, job, PLACES_TOLD, services().clock),
        "places_told": PLACES_TOLD,
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
    """The model that this job made, where it's there and isn't the default."""
    made: str | None = (job.summary or {}).get("model") if job.kind in (JobKind.TRAINING, JobKind.SWEEP) else None
    default = services().models.default()
    if made is None or (default is not None and default.id == made):
        return None
    try:
        return services().models.get(made).id
    except UnknownModel:
        return None


def _text(file: StoredFile | None) -> str | None:
    """A small text that a training wrote; None where it is not there."""
    if file is None or file.bytes > MOST_SHOWN_BYTES:
        return None
    with services().volume.storage.open(file.path) as opened:
        return opened.read().decode("utf-8", "replace").strip()


def _drawing(job: Job) -> Drawing | None:
    """The net that a training trains, while the data set that says how many classes it has is there."""
    if job.kind is not JobKind.TRAINING or "recipe" not in job.parameters:
        return None
    parameters = TrainingParameters(**job.parameters)
    try:
        dataset = get_dataset(services().volume, parameters.dataset)
    except UnknownDataset:
        return None
    return draw_layers(parameters.plan(), classes=len(dataset.class_names))


def _plan(job: Job) -> list[ParameterRow]:
    """All hyper-parameters of a training, beside what its recipe has."""
    if job.kind is not JobKind.TRAINING or "recipe" not in job.parameters:
        return []
    chosen_anyway = {name: job.parameters[name] for name in ("recipe", "dataset", "seed") if name in job.parameters}
    recipe = TrainingParameters(recipe=job.parameters["recipe"]).resolved().model_dump(mode="json")
    return parameter_rows([job.parameters, recipe | chosen_anyway])


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


def _title(job: Job, parameter: str) -> str:
    """What the form calls it."""
    field = DECLARATIONS[job.kind].model_fields.get(parameter)
    return field.title if field and field.title else parameter
