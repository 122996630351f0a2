"""How jobs, models and data sets look in the API's JSON."""

from datetime import UTC, datetime
from typing import Any

from flask import url_for

from trainer.catalogue import DatasetEntry
from trainer.recipes import Recipe
from worker.eta import eta_seconds
from worker.progress import Live, LiveFigures
from worker.records import Job, Model
from worker.states import JobKind

UNITS = {
    JobKind.TRAINING: "epochs",
    JobKind.CLASSIFICATION: "images",
    JobKind.IMPORT: "file",
    JobKind.SWEEP: "trials",
    JobKind.REVIEW: "corrections",
}


def job_document(job: Job, live: LiveFigures) -> dict[str, Any]:
    """A job with its progress; the live figures of running steps are added to what its row knows."""
    document: dict[str, Any] = {
        "id": job.id,
        "kind": job.kind,
        "parent": job.parent_id,
        "state": job.state,
        "parameters": job.parameters,
        "source": job.source or None,
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "progress": _progress(job, live),
        "summary": job.summary,
        "error": job.error,
        "links": {"self": url_for("api.get_job", job_id=job.id), "files": url_for("api.list_files", job_id=job.id)},
    }
    if job.kind is JobKind.CLASSIFICATION:
        document["links"]["review"] = url_for("api.get_review", job_id=job.id)
    return document


def job_line(job: Job) -> dict[str, Any]:
    """A job in a list: without the details of its progress, and without asking Redis."""
    return {
        "id": job.id,
        "kind": job.kind,
        "parent": job.parent_id,
        "state": job.state,
        "parameters": job.parameters,
        "created_at": timestamp(job.created_at),
        "finished_at": timestamp(job.finished_at),
        "progress": {"done": job.done, "total": job.total, "unit": UNITS[job.kind]},
        "summary": job.summary,
        "error": job.error,
        "links": {"self": url_for("api.get_job", job_id=job.id)},
    }


def model_document(model: Model, *, default: bool) -> dict[str, Any]:
    return {
        "id": model.id,
        "recipe": model.recipe,
        "dataset": model.dataset,
        "parameters": model.parameters,
        "metrics": model.metrics,
        "created_at": timestamp(model.created_at),
        "default": default,
        "trial": model.trial,
        "links": {
            "self": url_for("api.get_model", model_id=model.id),
            "files": url_for("api.list_model_files", model_id=model.id),
        },
    }


def dataset_line(entry: DatasetEntry) -> dict[str, Any]:
    """A data set in a list: without the report of its import."""
    return {
        "name": entry.name,
        "title": entry.title,
        "classes": list(entry.class_names),
        "train": entry.train,
        "test": entry.test,
        "warnings": list(entry.warnings),
        "known": entry.known,
        "ready": entry.ready,
        "links": {
            "self": url_for("api.get_one_dataset", name=entry.name),
            "preview": url_for("api.get_preview", name=entry.name) if entry.has_preview else None,
        },
    }


def dataset_document(entry: DatasetEntry) -> dict[str, Any]:
    return dataset_line(entry) | {"report": entry.report or None}


def recipe_document(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def timestamp(seconds: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _progress(job: Job, figures: LiveFigures) -> dict[str, Any]:
    live = Live(0, {}, None) if job.state.final else figures.read(job.id)
    done = job.done + live.done
    return {
        "done": job.done if job.kind is JobKind.TRAINING else int(min(done, job.total)),
        "total": job.total,
        "unit": UNITS[job.kind],
        "fraction": round(min(done / job.total, 1), 4),
        "eta_seconds": eta_seconds(job, live),
        "detail": job.detail | live.detail,
    }
