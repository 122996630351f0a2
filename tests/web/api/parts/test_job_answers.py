"""An answer to a poll is made once for each state of its job, and is never another state's."""

import json

import pytest
from flask import Flask

from tenfold.web.api.parts.job_answers import LOOK_EVERY_SECONDS, JobAnswers
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import UnknownJob
from tenfold.worker.jobs.progress import LiveProgress
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tests.conftest import Clock


@pytest.fixture
def figures(redis_url: str) -> LiveProgress:
    return LiveProgress(connect_redis(redis_url), interval_seconds=0)


@pytest.fixture
def answers(services: Services, figures: LiveProgress, clock: Clock) -> JobAnswers:
    return JobAnswers(services.jobs, figures, clock=clock)


def submit(jobs: JobStore, job_id: str) -> None:
    jobs.submit(job_id, JobKind.TRAINING, {"recipe": "dropout-128"}, total=12, fingerprint=job_id)


def test_an_unchanged_job_has_the_same_answer(app: Flask, services: Services, answers: JobAnswers) -> None:
    submit(services.jobs, "a-1")

    with app.test_request_context():
        assert answers.get("a-1") is answers.get("a-1")


def test_a_change_of_the_row_is_seen_at_once_and_one_of_the_live_figures_soon(
    app: Flask, services: Services, answers: JobAnswers, figures: LiveProgress, clock: Clock
) -> None:
    submit(services.jobs, "a-1")
    with app.test_request_context():
        seen = [answers.get("a-1")]
        [step_id] = services.jobs.queued_steps("a-1")
        assert services.leases.claim(step_id, "a worker")
        seen.append(answers.get("a-1"))
        for done in (0.25, 0.5):
            figures.publish("a-1", step_id, done)
            assert answers.get("a-1") is seen[-1]
            clock.advance(LOOK_EVERY_SECONDS)
            seen.append(answers.get("a-1"))
        services.jobs.cancel("a-1")
        seen.append(answers.get("a-1"))
        services.jobs.delete("a-1")

        with pytest.raises(UnknownJob):
            answers.get("a-1")

    states = [JobState.QUEUED, JobState.RUNNING, JobState.RUNNING, JobState.RUNNING, JobState.CANCELLED]
    assert [answer.state for answer in seen] == states
    assert [json.loads(answer.body)["state"] for answer in seen] == states
    assert len({answer.etag for answer in seen}) == len(seen)


def test_answers_of_many_jobs_are_right_though_few_are_kept(
    app: Flask, services: Services, figures: LiveProgress
) -> None:
    answers = JobAnswers(services.jobs, figures, most_kept=2)
    ids = ["a-1", "a-2", "a-3"]
    for job_id in ids:
        submit(services.jobs, job_id)

    with app.test_request_context():
        for _ in range(2):
            assert [json.loads(answers.get(job_id).body)["id"] for job_id in ids] == ids
