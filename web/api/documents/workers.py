"""Workers and predictors."""

from flask import url_for
from typing_extensions import TypedDict

from tenfold.web.api.documents.common import timestamp
from tenfold.worker.db.states import StepKind
from tenfold.worker.observability.worker_registry import ProcessInfo, Task


class TaskLinks(TypedDict):
    job: str


class WorkerTask(TypedDict):
    """The step that a process is running: `position` is its number among the job's steps of this kind, from 0."""

    job: str
    step: StepKind
    position: int
    started_at: str
    links: TaskLinks


class WorkerDocument(TypedDict):
    """A process that runs steps, or a predictor; `device` is null while it starts."""

    name: str
    role: str
    host: str
    pid: int
    version: str
    started_at: str
    device: str | None
    memory_bytes: int
    gpu_memory_bytes: int | None
    task: WorkerTask | None


class WorkerList(TypedDict):
    """All processes online; `next` is always null."""

    items: list[WorkerDocument]
    next: None


def worker_document(presence: ProcessInfo) -> WorkerDocument:
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
        "task": None if presence.task is None else _task(presence.task),
    }


def _task(task: Task) -> WorkerTask:
    return {
        "job": task.job,
        "step": task.step,
        "position": task.position,
        "started_at": timestamp(task.since),
        "links": {"job": url_for("api.jobs.get_job", job_id=task.job)},
    }
