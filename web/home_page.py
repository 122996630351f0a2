"""The first page: what runs, what waits and where in the line, which workers are alive, and how much disk is left."""

import shutil
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from redis.exceptions import RedisError

from web.job_list import listed
from web.representations import job_document, worker_line
from web.services import services
from worker.errors import OfLaterVersion, UnknownJob
from worker.line import count_in_line, next_in_line
from worker.presence import Presence
from worker.queue import QUEUES
from worker.records import Job
from worker.states import JobKind, JobState

home_page = Blueprint("home", __name__)

RUNNING_SHOWN = 10
WAITING_SHOWN = 5
MOST_COUNTED = 1000
FINISHED_SHOWN = 8

# Below this share of the disk a person should look for something to delete.
LITTLE_DISK_LEFT = 0.1


@dataclass(frozen=True)
class Line:
    """The jobs that wait longest for one kind of worker, and how many wait in all."""

    name: str
    first: list[dict[str, Any]]
    total: int


@home_page.get("/")
def index() -> str:
    """Sections that `static/live.js` keeps up to date."""
    running = services().jobs.list(state=JobState.RUNNING, limit=RUNNING_SHOWN + 1)
    workers = _workers()
    return render_template(
        "home.html",
        running=[_with_progress(job) for job in running[:RUNNING_SHOWN]],
        more_running=len(running) > RUNNING_SHOWN,
        most_counted=MOST_COUNTED,
        lines=[line for queue in QUEUES if (line := _line(queue)).total],
        finished=_finished(),
        workers=workers,
        can_work=workers is None or any(worker["role"] == "worker" for worker in workers),
        disk=_disk(),
        has_model=bool(services().models.list(limit=1)),
    )


def _with_progress(job: Job) -> dict[str, Any]:
    return listed(job) | {"progress": job_document(job, services().live)["progress"]}


def _line(queue: JobKind) -> Line:
    database = services().database
    first = next_in_line(database, queue, WAITING_SHOWN, services().clock)
    total = len(first) if len(first) < WAITING_SHOWN else count_in_line(database, queue, MOST_COUNTED)
    name = "To train" if queue is JobKind.TRAINING else "To classify, import, search and merge"
    return Line(name, [listed(job) for job in first], total)


def _finished() -> list[dict[str, Any]]:
    """The newest of those that have ended, the last to end first."""
    ended = [
        job for state in JobState if state.final for job in services().jobs.list(state=state, limit=FINISHED_SHOWN)
    ]
    ended.sort(key=lambda job: job.finished_at or 0, reverse=True)
    return [listed(job) for job in ended[:FINISHED_SHOWN]]


def _workers() -> list[dict[str, Any]] | None:
    """None while Redis is away, and nobody knows."""
    try:
        return [worker_line(presence) | {"job": _job_of(presence)} for presence in services().presence.alive()]
    except RedisError:
        return None


def _job_of(presence: Presence) -> dict[str, Any] | None:
    if presence.task is None:
        return None
    try:
        return listed(services().jobs.get(presence.task.job))
    except (UnknownJob, OfLaterVersion):
        return None


def _disk() -> dict[str, Any] | None:
    """That of the volume; a bucket has none that fills up."""
    if services().settings.bucket is not None:
        return None
    usage = shutil.disk_usage(services().volume.root)
    return {
        "free": usage.free,
        "total": usage.total,
        "used_share": round(1 - usage.free / usage.total, 3),
        "little": usage.free < LITTLE_DISK_LEFT * usage.total,
    }
