"""How jobs, models and data sets look in the API's JSON."""

from datetime import UTC, datetime
from typing import overload

from flask import url_for

from trainer.catalogue import DatasetEntry
from web.documents import (
    DatasetDocument,
    DatasetLine,
    JobDocument,
    JobLine,
    JobLinks,
    ModelDocument,
    Progress,
    WorkerLine,
    WorkerTask,
)
from worker.eta import eta_seconds
from worker.presence import Presence, Task
from worker.progress import NOTHING_LIVE, Live, LiveFigures
from worker.records import Job, Model
from worker.states import JobKind, JobState

UNITS = {
    JobKind.TRAINING: "epochs",
    JobKind.CLASSIFICATION: "images",
    JobKind.IMPORT: "file",
    JobKind.SWEEP: "trials",
    JobKind.REVIEW: "corrections",
}


def job_document(job: Job, figures: LiveFigures) -> JobDocument:
    """A job with its progress as it is now."""
    return document_of(job, live_of(job, figures))


def live_of(job: Job, figures: LiveFigures) -> Live:
    """What the job's running steps have told; only of a running job is Redis asked."""
    return figures.read(job.id) if job.state is JobState.RUNNING else NOTHING_LIVE


def document_of(job: Job, live: Live) -> JobDocument:
    """A job with its progress; the live figures of running steps are added to what its row knows."""
    return {
        "id": job.id,
        "kind": job.kind,
        "parent": job.parent_id,
        "owner": job.owner,
        "state": job.state,
        "parameters": job.parameters,
        "source": job.source or None,
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "progress": _progress(job, live),
        "summary": job.summary,
        "error": job.error,
        "links": _job_links(job),
    }


def job_line(job: Job) -> JobLine:
    """A job in a list: without the details of its progress, and without asking Redis."""
    return {
        "id": job.id,
        "kind": job.kind,
        "parent": job.parent_id,
        "owner": job.owner,
        "state": job.state,
        "parameters": job.parameters,
        "source": job.source or None,
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "progress": {"done": job.done, "total": job.total, "unit": UNITS[job.kind]},
        "summary": job.summary,
        "error": job.error,
        "links": {"self": url_for("api.get_job", job_id=job.id)},
    }


def model_document(model: Model, *, default: bool) -> ModelDocument:
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


def dataset_line(entry: DatasetEntry) -> DatasetLine:
    """A data set in a list: without the report of its import."""
    return {
        "name": entry.name,
        "title": entry.title,
        "classes": list(entry.class_names),
        "train": entry.train,
        "test": entry.test,
        "input": entry.input.as_dict() if entry.input else None,
        "warnings": list(entry.warnings),
        "known": entry.known,
        "ready": entry.ready,
        "links": {
            "self": url_for("api.get_one_dataset", name=entry.name),
            "preview": url_for("api.get_preview", name=entry.name) if entry.has_preview else None,
        },
    }


def dataset_document(entry: DatasetEntry) -> DatasetDocument:
    return {**dataset_line(entry), "report": entry.report or None}


def worker_line(presence: Presence) -> WorkerLine:
    return {
        "name": presence.name,
        "role": presence.role,
        "host": presence.host,
        "pid": presence.pid,
        "version": presence.version,
        "started_at": timestamp(presence.started_at),
        "device": presence.device,
        "memory_bytes": presence.memory_bytes,
        "gpu_memory_bytes": presence.gpu_memory_bytes,
        "task": None if presence.task is None else _worker_task(presence.task),
    }


def _worker_task(task: Task) -> WorkerTask:
    return {
        "job": task.job,
        "step": task.step,
        "position": task.position,
        "since": timestamp(task.since),
        "links": {"job": url_for("api.get_job", job_id=task.job)},
    }


@overload
def timestamp(seconds: float) -> str: ...


@overload
def timestamp(seconds: float | None) -> str | None: ...


def timestamp(seconds: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _job_links(job: Job) -> JobLinks:
    itself = url_for("api.get_job", job_id=job.id)
    links: JobLinks = {"self": itself, "files": f"{itself}/files", "events": f"{itself}/events"}
    if job.kind is JobKind.CLASSIFICATION:
        links["review"] = f"{itself}/review"
    return links


def _progress(job: Job, live: Live) -> Progress:
    done = job.done + live.done
    return {
        "done": job.done if job.kind is JobKind.TRAINING else int(min(done, job.total)),
        "total": job.total,
        "unit": UNITS[job.kind],
        "fraction": round(min(done / job.total, 1), 4),
        "eta_seconds": eta_seconds(job, live),
        "detail": job.detail | live.detail,
    }
