"""Jobs, and the files of jobs and models."""

from typing import Any, NotRequired

from flask import url_for
from typing_extensions import TypedDict

from tenfold.web.api.documents.common import SelfLink, timestamp
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.eta import eta_seconds
from tenfold.worker.jobs.progress import NOTHING_LIVE, Live, LiveProgress

UNITS = {
    JobKind.TRAINING: "epochs",
    JobKind.CLASSIFICATION: "images",
    JobKind.IMPORT: "file",
    JobKind.SWEEP: "trials",
    JobKind.REVIEW: "corrections",
    JobKind.COMPARISON: "images",
    JobKind.MODEL_IMPORT: "file",
    JobKind.CHECK: "images",
}


class ProgressSummary(TypedDict):
    """How far a job is: `done` of `total`, in `unit`s."""

    done: int
    total: int
    unit: str


class Progress(ProgressSummary):
    """How far a job is; `detail` depends on its kind. `eta_seconds` is the remaining time, estimated from the pace so
    far; null before there is an estimate, and after the end."""

    fraction: float
    eta_seconds: float | None
    detail: dict[str, Any]


class JobLinks(TypedDict):
    """Where to poll, follow and fetch; classifications have `review` too, and comparisons
    `differences`."""

    self: str
    files: str
    events: str
    review: NotRequired[str]
    differences: NotRequired[str]


class _JobFields(TypedDict):
    id: str
    kind: JobKind
    sweep: str | None
    owner: str | None
    state: JobState
    parameters: dict[str, Any]
    source: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    summary: dict[str, Any] | None
    error: str | None


class JobDocument(_JobFields):
    """A job; `sweep` is the id of the sweep that a training is a trial of. `source` describes the uploaded file;
    its `aliases` are those that the submission named models by, with the models that they named then."""

    progress: Progress
    links: JobLinks


class JobItem(_JobFields):
    """A job in a list: without the details of its progress."""

    progress: ProgressSummary
    links: SelfLink


class JobList(TypedDict):
    """Jobs, the newest first; `next` is the address of the following page, or null."""

    items: list[JobItem]
    next: str | None


class FileItem(TypedDict):
    """A file that can be fetched from `href`."""

    name: str
    bytes: int
    href: str


class FileList(TypedDict):
    """All files; `next` is always null."""

    items: list[FileItem]
    next: None


def job_document(job: Job, live_progress: LiveProgress) -> JobDocument:
    """A job with its progress as it is now."""
    return document_of(job, live_of(job, live_progress))


def live_of(job: Job, live_progress: LiveProgress) -> Live:
    """What the job's running steps last reported; Redis is asked about running jobs only."""
    return live_progress.read(job.id) if job.state is JobState.RUNNING else NOTHING_LIVE


def document_of(job: Job, live: Live) -> JobDocument:
    """A job whose progress is that of its row and of its running steps together."""
    return {**_fields(job), "progress": _progress(job, live), "links": _links(job)}


def job_item(job: Job) -> JobItem:
    return {
        **_fields(job),
        "progress": {"done": job.done, "total": job.total, "unit": UNITS[job.kind]},
        "links": {"self": url_for("api.jobs.get_job", job_id=job.id)},
    }


def _fields(job: Job) -> _JobFields:
    return {
        "id": job.id,
        "kind": job.kind,
        "sweep": job.parent_id,
        "owner": job.owner,
        "state": job.state,
        "parameters": job.parameters,
        "source": job.source or None,
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "finished_at": timestamp(job.finished_at),
        "summary": job.summary,
        "error": job.error,
    }


def _links(job: Job) -> JobLinks:
    itself = url_for("api.jobs.get_job", job_id=job.id)
    links: JobLinks = {"self": itself, "files": f"{itself}/files", "events": f"{itself}/events"}
    if job.kind is JobKind.CLASSIFICATION:
        links["review"] = f"{itself}/review"
    if job.kind is JobKind.COMPARISON:
        links["differences"] = f"{itself}/differences"
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
