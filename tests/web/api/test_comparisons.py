"""Comparisons of models: submitted, looked at, and refused, by API and page."""

from collections.abc import Iterator
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tenfold.trainer.data.datasets import Dataset
from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.records import Job
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.linear_models import linear_model
from tests.reviews import work_off

MODELS = ("weak", "better")


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory: pytest.TempPathFactory, mnist: Dataset, redis_database) -> Iterator[Flask]:  # type: ignore[no-untyped-def]
    """With two models, and a comparison of them that has succeeded."""
    application = create_app(WebSettings(data=tmp_path_factory.mktemp("compared"), redis_url=redis_database(998)))
    services: Services = application.extensions[EXTENSION]
    write_dataset(mnist.head(2000, 500), services.volume.dataset("tiny"))
    linear_model(services, "weak", mnist, 200)
    linear_model(services, "better", mnist, 2000)
    yield application
    services.database.close()


@pytest.fixture(scope="module")
def client(shared_app: Flask) -> FlaskClient:
    return shared_app.test_client()


@pytest.fixture(scope="module")
def job(shared_app: Flask, client: FlaskClient) -> Job:
    services: Services = shared_app.extensions[EXTENSION]
    answer = client.post("/api/v1/comparisons", json={"models": list(MODELS)})
    assert answer.status_code == 202, answer.text
    return work_off(services, services.jobs.get(answer.json["id"]))


def test_a_comparison_is_queued_listed_and_says_which_model_is_better(client: FlaskClient, job: Job) -> None:
    document = client.get(f"/api/v1/jobs/{job.id}").json

    assert document["parameters"] == {"models": list(MODELS), "on": "tiny"}
    assert document["progress"]["unit"] == "images"
    assert document["summary"]["pairs"][0]["better"] == "B"
    assert [item["id"] for item in client.get("/api/v1/comparisons").json["items"]] == [job.id]


def test_its_differences_are_filtered_by_who_was_right_and_paged(client: FlaskClient, job: Job) -> None:
    address = client.get(f"/api/v1/jobs/{job.id}").json["links"]["differences"]

    first = client.get(f"{address}?right=B&wrong=weak&limit=3").json

    assert job.summary is not None
    assert first["count"] == job.summary["pairs"][0]["only_second_right"]
    assert len(first["items"]) == 3
    assert all([answer["right"] for answer in item["answers"]] == [False, True] for item in first["items"])
    second = client.get(first["next"]).json["items"]
    assert second[0]["rank"] > first["items"][-1]["rank"]
    picture = client.get(first["items"][0]["links"]["picture"])
    assert (picture.mimetype, picture.data[:4]) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("differences?right=C", 422, "invalid_parameters"),
        ("differences?right=A&limit=0", 422, "invalid_parameters"),
        ("differences/99999/picture", 404, "file_not_found"),
    ],
)
def test_what_there_is_not_is_refused(client: FlaskClient, job: Job, address: str, status: int, code: str) -> None:
    answer = client.get(f"/api/v1/jobs/{job.id}/{address}")

    assert (answer.status_code, answer.json["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"models": ["weak"]}, "models"),
        ({"models": ["weak", "nosuch"]}, "models"),
        ({"models": list(MODELS), "on": "nosuch"}, "on"),
        ({"models": list(MODELS), "on": "../etc"}, "on"),
    ],
)
def test_a_comparison_that_cannot_be_made_names_the_field(
    client: FlaskClient, body: dict[str, object], field: str
) -> None:
    answer = client.post("/api/v1/comparisons", json=body)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field


def test_the_page_of_comparisons_offers_it_and_lists_earlier_ones(client: FlaskClient, job: Job) -> None:
    page = client.get("/compare?run=weak&run=better").text

    assert "Which is better?" in page
    assert "Test images of tiny" in page
    assert f"/jobs/{job.id}" in page
    submitted = client.post("/compare", data={"run": list(MODELS), "on": "tiny"})
    assert submitted.status_code == 303
    refused = client.post("/compare", data={"run": list(MODELS), "on": "nosuch"})
    assert refused.status_code == 422
    assert "There is no data set and no job" in refused.text
    assert "Which is better?" not in client.get("/compare?run=weak").text


def test_the_page_of_a_comparison_has_the_conclusion_and_thumbnails_by_who_was_right(
    client: FlaskClient, job: Job
) -> None:
    page = unescape(client.get(f"/jobs/{job.id}").text)

    assert job.summary is not None
    assert job.summary["conclusion"] in page
    assert "B right, A wrong" in page
    assert f"/api/v1/jobs/{job.id}/differences/0/picture" in page
    only = client.get(f"/jobs/{job.id}/differences?right=B&wrong=A").text
    assert only.count('class="difference"') == min(60, job.summary["pairs"][0]["only_second_right"])
    assert client.get(f"/jobs/{job.id}/differences?right=nosuch").status_code == 200
