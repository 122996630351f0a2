"""The home page: running, queued and finished jobs, workers, and disk space."""

import shutil
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from redis.exceptions import RedisError

from tenfold.web.api.documents.jobs import job_document
from tenfold.web.api.documents.workers import worker_document
from tenfold.web.core.services import services
from tenfold.web.pages.jobs.list import listed
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import OfLaterVersion, UnknownJob
from tenfold.worker.jobs.queue import QUEUES
from tenfold.worker.jobs.queue_position import count_queued, next_queued
from tenfold.worker.observability.worker_registry import ProcessInfo

blueprint = Blueprint("home", __name__)

RUNNING_SHOWN = 10
WAITING_SHOWN = 5
MAX_COUNTED = 1000
FINISHED_SHOWN = 8

# Below this share of free disk space the page shows a warning.
LOW_DISK_SHARE = 0.1


@dataclass(frozen=True)
class Queue:
    """The first jobs in the queue of one kind of worker, and how many are queued in total."""

    name: str
    first: list[dict[str, Any]]
    total: int


@blueprint.get("/")
def index() -> str:
    """`static/live.js` refreshes the sections of this page."""
    running = services().jobs.list(state=JobState.RUNNING, limit=RUNNING_SHOWN + 1)
    workers = _workers()
    return render_template(
        "home.html",
        running=[_with_progress(job) for job in running[:RUNNING_SHOWN]],
        more_running=len(running) > RUNNING_SHOWN,
        max_counted=MAX_COUNTED,
        queues=[queue for kind in QUEUES if (queue := _queue(kind)).total],
        finished=_finished(),
        workers=workers,
        can_work=workers is None or any(worker["role"] == "worker" for worker in workers),
        disk=_disk(),
        has_model=bool(services().models.list(limit=1)),
    )


def _with_progress(job: Job) -> dict[str, Any]:
    return listed(job) | {"progress": job_document(job, services().live)["progress"]}


def _queue(kind: JobKind) -> Queue:
    database = services().database
    first = next_queued(database, kind, WAITING_SHOWN, services().clock)
    total = len(first) if len(first) < WAITING_SHOWN else count_queued(database, kind, MAX_COUNTED)
    name = "training" if kind is JobKind.TRAINING else "all other jobs"
    return Queue(name, [listed(job) for job in first], total)


def _finished() -> list[dict[str, Any]]:
    """The most recently finished jobs, newest first."""
    ended = [
        job for state in JobState if state.final for job in services().jobs.list(state=state, limit=FINISHED_SHOWN)
    ]
    ended.sort(key=lambda job: job.finished_at or 0, reverse=True)
    return [listed(job) for job in ended[:FINISHED_SHOWN]]


def _workers() -> list[dict[str, Any]] | None:
    """None while Redis is unavailable."""
    try:
        return [worker_document(presence) | {"job": _job_of(presence)} for presence in services().registry.online()]
    except RedisError:
        return None


def _job_of(presence: ProcessInfo) -> dict[str, Any] | None:
    if presence.task is None:
        return None
    try:
        return listed(services().jobs.get(presence.task.job))
    except (UnknownJob, OfLaterVersion):
        return None


def _disk() -> dict[str, Any] | None:
    """The disk of the volume; None for a bucket, which has no limit."""
    if services().settings.bucket is not None:
        return None
    usage = shutil.disk_usage(services().volume.root)
    return {
        "free": usage.free,
        "total": usage.total,
        "used_share": round(1 - usage.free / usage.total, 3),
        "low": usage.free < LOW_DISK_SHARE * usage.total,
    }
