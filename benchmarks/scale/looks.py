"""What it costs to look through a long queue: the reconciler, polls, the metrics, the fair choice among many people."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.scale.seeding import share_among_people
from benchmarks.scale.timings import Timings
from tenfold.web.app import create_app
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.counts import count_jobs
from tenfold.worker.jobs.queue_position import next_queued
from tenfold.worker.jobs.reconciler import Reconciler
from tenfold.worker.services import Services

PEOPLE = 100

# As home shows of them.
PLACES = 20


def measure(settings: WebSettings, seconds: float) -> list[dict[str, Any]]:
    """A row for each kind of look at the jobs that wait, before and after they belong to a hundred people."""
    services = Services.open(settings)
    database, scheduler, leases = services.database, services.scheduler, services.leases
    reconciler = Reconciler(services.waiting, services.queue, window=settings.queue_window)
    [waiting] = services.jobs.list(state=JobState.QUEUED, limit=1)
    [step] = services.jobs.queued_steps(waiting.id)
    polls = _polls(settings, waiting.id)
    timings = Timings()

    def claim_by_turns() -> None:
        lease = scheduler.claim(step, "benchmark")
        assert lease is not None
        leases.release(lease)

    timings.of("reconcile, Redis wiped", reconciler.reconcile)
    _repeat(timings, seconds, "reconcile", reconciler.reconcile)
    for name, poll in polls.items():
        _repeat(timings, seconds, name, poll)
    _repeat(timings, seconds, "census for Prometheus", lambda: count_jobs(database, time.time()))
    share_among_people(database, PEOPLE)
    _repeat(timings, seconds, f"claim and give back, {PEOPLE} people", claim_by_turns)
    _repeat(
        timings,
        seconds,
        f"who is next for home, {PEOPLE} people",
        lambda: next_queued(database, JobKind.CLASSIFICATION, PLACES),
    )
    database.close()
    return timings.rows()


def _polls(settings: WebSettings, job_id: str) -> dict[str, Callable[[], object]]:
    """Requests to the web's application, without the socket before it."""
    client = create_app(settings).test_client()
    address = f"/api/v1/jobs/{job_id}"
    known = {"If-None-Match": client.get(address).headers["ETag"]}
    return {
        "GET /healthz": lambda: client.get("/api/v1/healthz"),
        "GET /jobs/{id}": lambda: client.get(address),
        "GET /jobs/{id}, 304": lambda: client.get(address, headers=known),
        "GET /jobs": lambda: client.get("/api/v1/jobs"),
    }


def _repeat(timings: Timings, seconds: float, name: str, action: Callable[[], object]) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        timings.of(name, action)
