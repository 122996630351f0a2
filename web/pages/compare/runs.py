"""A run to compare: a training, read from its model, or from its job while there is no model."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any

from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import UnknownJob, UnknownModel
from tenfold.worker.services import Services
from tenfold.worker.storage.volume import Volume

HISTORY = "history.csv"

SUCCEEDED = JobState.SUCCEEDED.value


@dataclass(frozen=True)
class Run:
    """`figures` have the names of `metrics.json`; `history` has an entry for each finished epoch."""

    id: str
    recipe: str
    dataset: str
    state: str
    parameters: Mapping[str, Any]
    figures: Mapping[str, float | None]
    history: Sequence[Mapping[str, Any]]
    created_at: float
    has_job: bool


def find_run(services: Services, run_id: str) -> Run | None:
    """The training with this ID or alias, finished or not; None if there is none.

    A model can outlive its job, so it is read first.
    """
    try:
        model = services.models.get(run_id)
    except UnknownModel:
        job = _job(services, run_id)
        return _of_job(job) if job is not None and job.kind is JobKind.TRAINING else None
    return _of_model(model, _read_history(services.volume, model.id), has_job=_job(services, model.id) is not None)


def _job(services: Services, job_id: str) -> Job | None:
    try:
        return services.jobs.get(job_id)
    except UnknownJob:
        return None


def _of_model(model: Model, history: Sequence[Mapping[str, Any]], *, has_job: bool) -> Run:
    metrics = model.metrics
    calibration = metrics.get("calibration", {}).get("after", {}).get("error")
    return Run(
        id=model.id,
        recipe=model.recipe,
        dataset=model.dataset,
        state=SUCCEEDED,
        parameters=model.parameters,
        figures=metrics | {"calibration_error": calibration},
        history=history,
        created_at=model.created_at,
        has_job=has_job,
    )


def _of_job(job: Job) -> Run:
    history = job.detail.get("history", [])
    last = history[-1] if history else {}
    return Run(
        id=job.id,
        recipe=job.parameters["recipe"],
        dataset=job.parameters["dataset"],
        state=job.state.value,
        parameters=job.parameters,
        figures={
            "train_accuracy": last.get("accuracy"),
            "val_accuracy": last.get("val_accuracy"),
            "epochs": len(history),
            "seconds": sum(epoch.get("seconds", 0) for epoch in history),
        },
        history=history,
        created_at=job.created_at,
        has_job=True,
    )


def _read_history(volume: Volume, model_id: str) -> list[dict[str, float | None]]:
    """Empty if the file was deleted: the figures can still be compared."""
    try:
        with volume.storage.open(volume.model(model_id) / HISTORY) as file:
            rows = csv.DictReader(TextIOWrapper(file, "utf-8", newline=""))
            return [{name: float(value) if value else None for name, value in row.items()} for row in rows]
    except FileNotFoundError:
        return []
