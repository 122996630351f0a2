"""How often one may call: told with every answer, refused beyond, and never the reason why nothing works."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings


@pytest.fixture
def limited(tmp_path: Path, redis_url: str) -> Iterator[Flask]:
    settings = WebSettings(
        data=tmp_path / "data", redis_url=redis_url, max_requests_per_minute=50, max_submissions_per_minute=10
    )
    application = create_app(settings)
    yield application
    application.extensions[EXTENSION].database.close()


def submit(api: FlaskClient, address: str = "127.0.0.1") -> int:
    response = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}, environ_overrides={"REMOTE_ADDR": address})
    return response.status_code


def test_every_answer_says_how_many_calls_are_left(limited: Flask) -> None:
    api = limited.test_client()

    headers = [api.get(path).headers for path in ("/api/v1/jobs", "/api/v1/jobs/no-such")]

    assert headers[0]["RateLimit-Policy"] == '"requests";q=50;w=60'
    assert [int(found["RateLimit"].split("r=")[1].split(";")[0]) for found in headers] in ([49, 48], [49, 49])


def test_who_submits_too_often_is_told_when_to_come_back_and_can_poll_meanwhile(limited: Flask) -> None:
    api = limited.test_client()

    statuses = [submit(api) for _ in range(21)]  # two minutes' worth, in case that one ends just now

    refused = statuses.index(429)
    assert set(statuses[:refused]) == {202}
    assert refused >= 10
    assert submit(api, address="192.0.2.1") == 202
    assert api.get("/api/v1/jobs").status_code == 200


def test_a_refusal_is_a_problem_document_with_retry_after(limited: Flask) -> None:
    api = limited.test_client()
    responses = [api.get("/api/v1/recipes") for _ in range(101)]

    refusal = next(response for response in responses if response.status_code == 429)

    assert refusal.content_type == "application/problem+json"
    assert 1 <= int(refusal.headers["Retry-After"]) <= 60
    assert "r=0" in refusal.headers["RateLimit"]


def test_health_is_never_counted(limited: Flask) -> None:
    api = limited.test_client()

    assert {api.get("/api/v1/healthz").status_code for _ in range(110)} == {200}


def test_without_redis_nobody_is_counted(tmp_path: Path) -> None:
    settings = WebSettings(data=tmp_path / "data", redis_url="redis://127.0.0.1:1/0", max_requests_per_minute=1)
    api = create_app(settings).test_client()

    responses = [api.get("/api/v1/recipes") for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 200]
    assert "RateLimit" not in responses[0].headers
