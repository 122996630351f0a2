"""The web of the version before while an update is under way: it serves what it knows, and no more."""

import json

import pytest
from flask.testing import FlaskClient

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.worker.errors import OfLaterVersion
from tenfold.worker.observability.worker_registry import NAMES
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tenfold.worker.upkeep.collecting import collect


@pytest.fixture
def later(services: Services) -> str:
    """A job of a kind that the next version of the web took in; beside it is one that this version knows."""
    submit_training(services, TrainingParameters())
    job = submit_training(services, TrainingParameters(), idempotency_key="later")
    with services.database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql(f"UPDATE jobs SET kind = 'transcription' WHERE id = '{job.id}'")
        connection.exec_driver_sql(f"UPDATE steps SET kind = 'transcribe', version = 9 WHERE job_id = '{job.id}'")
    return job.id


@pytest.mark.parametrize("address", ["/", "/jobs", "/metrics", "/api/v1/jobs", "/api/v1/workers", "/api/v1/readyz"])
def test_what_lists_jobs_lists_those_that_are_known(api: FlaskClient, later: str, address: str) -> None:
    answer = api.get(address)

    assert answer.status_code == 200
    assert later not in answer.text


@pytest.mark.parametrize("address", ["/jobs/{}", "/api/v1/jobs/{}"])
def test_whoever_asks_for_the_other_is_told_to_ask_again_soon(api: FlaskClient, later: str, address: str) -> None:
    answer = api.get(address.format(later))

    assert answer.status_code == 503
    assert "later version" in answer.text


def test_a_poll_is_told_when_to_ask_again(api: FlaskClient, later: str) -> None:
    assert api.get(f"/api/v1/jobs/{later}").headers["Retry-After"] == "5"


def test_nothing_is_collected_that_cannot_be_judged(services: Services, later: str) -> None:
    with pytest.raises(OfLaterVersion, match="Use that version"):
        collect(services)


def test_a_worker_that_says_what_this_version_does_not_know_is_left_out(api: FlaskClient, services: Services) -> None:
    redis = connect_redis(services.settings.redis_url)
    redis.sadd(NAMES, "later")
    redis.set("tenfold:worker:later", json.dumps({"name": "later", "role": "transcriber"}), ex=60)

    assert api.get("/api/v1/workers").json["items"] == []
    assert api.get("/").status_code == 200
