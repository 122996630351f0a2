"""The Home page and the list of jobs, on real rows and a real Redis."""

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.web.core.services import EXTENSION
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.states import JobKind, JobState, StepKind, StepState
from tenfold.worker.jobs.queue_position import queue_position
from tenfold.worker.observability.worker_registry import ProcessInfo, Task, WorkerRegistry
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training

BUSY = ProcessInfo(
    name="lab-7",
    role="worker",
    host="lab",
    pid=7,
    version="0.1.0",
    started_at=1.0,
    device="GPU NVIDIA H200",
    memory_bytes=2**30,
    gpu_memory_bytes=3 * 2**20,
    task=None,
)


def train(services: Services, recipe: str) -> Job:
    return submit_training(services, TrainingParameters(recipe=recipe))


def test_a_newcomer_is_led_to_a_first_training(api: FlaskClient) -> None:
    page = api.get("/").text

    assert "Get started in three steps" in page
    assert "No workers online." in page
    assert re.search(r"\d free of", re.sub(r" [KMGT]?i?B", "", page))


def test_home_shows_what_runs_and_what_waits_in_its_order(api: FlaskClient, services: Services) -> None:
    first, second, third = (train(services, recipe) for recipe in ("cnn", "dropout-128", "dense-128-64"))
    services.leases.claim(services.jobs.queued_steps(first.id)[0], "someone")
    services.live.publish(first.id, 1, 0.5, {"epoch": 1, "loss": 0.3, "accuracy": 0.9})

    page = api.get("/").text

    running, waiting = page.split("Queued <small")
    assert f"/jobs/{first.id}" in running
    assert 'value="0.05"' in running
    assert "epoch 1, accuracy 90.00\xa0%" in running
    assert re.findall(r"/jobs/(\w+)\"", waiting)[:2] == [second.id, third.id]
    assert "next" in waiting
    assert "about 2nd in the queue" in waiting
    jobs = (services.jobs.get(first.id), second, third)
    assert [queue_position(services.database, job, at_most=9) for job in jobs] == [None, 1, 2]
    assert queue_position(services.database, third, at_most=1) is None
    assert "About 2nd in the queue" in api.get(f"/jobs/{third.id}").text


def test_home_shows_what_has_ended_lately_with_its_outcome(api: FlaskClient, services: Services) -> None:
    job = train(services, "cnn")
    services.jobs.cancel(job.id)

    finished = api.get("/").text.split("Recently finished")[1]

    assert f"/jobs/{job.id}" in finished
    assert "cancelled" in finished


def test_workers_are_shown_with_what_they_do(api: FlaskClient, services: Services) -> None:
    job = train(services, "cnn")
    task = Task(job=job.id, step=StepKind.TRAIN, position=0, since=3.0)
    services.registry.register(replace(BUSY, task=task))
    services.registry.register(replace(BUSY, name="lab-8", pid=8, role="predictor", device=None, gpu_memory_bytes=None))

    page = api.get("/").text
    listed = api.get("/api/v1/workers").json["items"]

    assert "GPU NVIDIA H200 · 1.0 GiB memory · 3.0 MiB on the GPU" in page
    assert f'/jobs/{job.id}">training of cnn</a>' in page
    assert "Answers single images immediately" in page
    assert [(worker["name"], worker["role"], worker["device"]) for worker in listed] == [
        ("lab-7", "worker", "GPU NVIDIA H200"),
        ("lab-8", "predictor", None),
    ]
    assert listed[0]["task"] == {
        "job": job.id,
        "step": "train",
        "position": 0,
        "started_at": "1970-01-01T00:00:03.000Z",
        "links": {"job": f"/api/v1/jobs/{job.id}"},
    }
    assert listed[1]["task"] is None


def test_home_says_that_jobs_wait_while_no_worker_is_alive(api: FlaskClient, services: Services) -> None:
    train(services, "cnn")
    assert "No workers online. Jobs stay queued" in api.get("/").text

    services.registry.register(BUSY)

    assert "No workers online. Jobs stay queued" not in api.get("/").text


def test_home_is_there_while_redis_is_away(app: Flask, api: FlaskClient, services: Services) -> None:
    job = train(services, "cnn")
    away = WorkerRegistry(connect_redis("redis://127.0.0.1:1/0"))
    app.extensions[EXTENSION] = replace(services, registry=away)

    page = api.get("/")

    assert page.status_code == 200
    assert "Redis is unavailable" in page.text
    assert f"/jobs/{job.id}" in page.text
    assert api.get("/api/v1/workers").status_code == 503


def test_jobs_are_listed_by_kind_and_state_a_page_at_a_time(api: FlaskClient, services: Services) -> None:
    jobs = [train(services, "cnn") for _ in range(30)]
    services.jobs.cancel(jobs[0].id)

    newest = api.get("/jobs?kind=training&state=queued").text
    older = api.get(re.search(r'href="([^"]+)">Older jobs', newest)[1].replace("&amp;", "&")).text  # type: ignore[index]

    assert re.findall(r"/jobs/(\w{26})\"", newest + older) == [job.id for job in reversed(jobs[1:])]
    assert jobs[0].id in api.get("/jobs?state=cancelled").text
    assert "No matching jobs" in api.get("/jobs?kind=sweep").text
    assert "No matching jobs" not in api.get("/jobs?kind=nonsense").text


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SUCCEEDED])
def test_no_query_of_the_home_page_goes_through_all_jobs(api: FlaskClient, services: Services, state: JobState) -> None:
    now = {"created_at": 1.0, "started_at": 1.0, "finished_at": 2.0 if state.final else None}
    rows = [
        {
            "id": f"job-{number:06d}",
            "kind": JobKind.TRAINING,
            "state": state,
            "parameters": {"recipe": "cnn", "dataset": "mnist"},
            "source": {},
            "fingerprint": "same",
            "total": 10,
            **now,
        }
        for number in range(2000)
    ]
    with services.database.write() as session:
        session.execute(insert(Job), rows)
        session.execute(
            insert(Step), [{"job_id": row["id"], "kind": StepKind.TRAIN, "state": StepState.DONE} for row in rows]
        )
    queries = record_queries(services)

    assert api.get("/").status_code == 200

    with services.database.read() as session:
        plans = [
            str(row[3])
            for query, values in queries
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
        ]
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN jobs") and "INDEX" not in plan]


def record_queries(services: Services) -> list[tuple[str, Any]]:
    """What the database is asked from now on."""
    asked: list[tuple[str, Any]] = []

    @event.listens_for(services.database.engine, "before_cursor_execute")
    def record(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    return asked
