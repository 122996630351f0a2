"""Bad input: a problem document that names the field and the remedy, and nothing left behind."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tenfold.worker.services import Services
from tests.web.conftest import zip_bytes


def assert_problem(response: TestResponse, status: int, field: str | None = None, says: str = "") -> None:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert problem["status"] == status
    assert problem["title"]
    assert says in problem["detail"]
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]]


def nothing_left(services: Services) -> bool:
    ours = ("tenfold.db", "session.key")
    kept = [path for path in services.volume.root.rglob("*") if path.is_file() and not path.name.startswith(ours)]
    return not kept and not list(services.volume.root.glob("jobs/*")) and not services.jobs.list()


@pytest.mark.parametrize(
    ("parameters", "field", "says"),
    [
        ({"recipe": "no-such"}, "recipe", "choose one of sigmoid-100"),
        ({"recipe": "dropout-128", "epochs": 0}, "epochs", "greater than or equal to 1"),
        ({"recipe": "dropout-128", "epochs": 10**9}, "epochs", "less than or equal to 1000"),
        ({"recipe": "dropout-128", "epochs": "many"}, "epochs", "integer"),
        ({"recipe": "dropout-128", "learning_rate": -1}, "learning_rate", "greater than 0"),
        ({"recipe": "dropout-128", "seed": 2**40}, "seed", "less than"),
        ({"recipe": "dropout-128", "dataset": "imagenet"}, "dataset", "Available: mnist, fashion-mnist"),
        ({"recipe": "dropout-128", "color": "red"}, "color", "not permitted"),
        ({"units": [10_000_000]}, "units.0", "less than or equal to 8192"),
        ({"units": [8192, 8192]}, "", "the maximum is 20,000,000"),
        ({"early_stopping": 3}, "early_stopping", "needs validation=split"),
    ],
)
def test_a_bad_training_names_its_field(
    api: FlaskClient, services: Services, parameters: dict[str, Any], field: str, says: str
) -> None:
    assert_problem(api.post("/api/v1/trainings", json=parameters), 422, field, says)
    assert nothing_left(services)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"this is no zip", "not a zip"),
        (zip_bytes(), "zip is empty"),
        (zip_bytes("notes.txt", "folder/"), "no image"),
        (b"", "empty (0 bytes)"),
        (zip_bytes("1.png")[:-10], "truncated or damaged"),
    ],
    ids=["no zip", "empty zip", "no images", "empty file", "cut short"],
)
@pytest.mark.parametrize("way", ["form", "raw"])
def test_a_bad_archive_is_refused_and_removed(
    api: FlaskClient, services: Services, model: str, content: bytes, says: str, way: str
) -> None:
    from io import BytesIO

    (services.volume.model(model) / "model.keras").unlink()
    if way == "form":
        response = api.post("/api/v1/classifications", data={"file": (BytesIO(content), "digits.zip")})
    else:
        response = api.post("/api/v1/classifications", data=content, content_type="application/zip")

    assert_problem(response, 422, "file", says)
    assert nothing_left(services)


def test_a_form_without_a_file_says_so(api: FlaskClient, model: str) -> None:
    response = api.post("/api/v1/classifications", data={"normalize": "auto"}, content_type="multipart/form-data")

    assert_problem(response, 422, "file", "No file was sent")


def test_an_unknown_model_is_refused(api: FlaskClient, services: Services) -> None:
    response = api.post(
        "/api/v1/classifications?model=no-such", data=zip_bytes("1.png"), content_type="application/zip"
    )

    assert_problem(response, 422, "model", "no model 'no-such'")
    assert nothing_left(services)


def test_without_any_model_the_remedy_is_named(api: FlaskClient, services: Services) -> None:
    response = api.post("/api/v1/classifications", data=zip_bytes("1.png"), content_type="application/zip")

    assert_problem(response, 422, "model", "train one first")
    assert nothing_left(services)


def test_an_upload_beyond_the_limit_is_refused(api: FlaskClient, services: Services, model: str) -> None:
    (services.volume.model(model) / "model.keras").unlink()

    response = api.post("/api/v1/classifications", data=bytes(2_000_001), content_type="application/zip")

    assert_problem(response, 413)
    assert nothing_left(services)


def test_a_key_used_for_other_content_is_refused(api: FlaskClient) -> None:
    headers = {"Idempotency-Key": "once"}
    api.post("/api/v1/trainings", json={"recipe": "dropout-128"}, headers=headers)

    response = api.post("/api/v1/trainings", json={"recipe": "dense-128-64"}, headers=headers)

    assert_problem(response, 422, says="use a new key")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("[1]", "application/json", 400),
        ("recipe=dropout-128", "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(api: FlaskClient, body: str, content_type: str, status: int) -> None:
    assert_problem(api.post("/api/v1/trainings", data=body, content_type=content_type), status)


def test_a_json_body_is_not_read_without_end(api: FlaskClient) -> None:
    body = b'{"recipe": "' + b"x" * (1 << 20) + b'"}'

    assert_problem(api.post("/api/v1/trainings", data=body, content_type="application/json"), 413)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/jobs/no-such", 404),
        ("GET", "/api/v1/jobs/no-such/files", 404),
        ("POST", "/api/v1/jobs/no-such/cancel", 404),
        ("DELETE", "/api/v1/jobs/no-such", 404),
        ("GET", "/api/v1/models/no-such", 404),
        ("GET", "/api/v1/no-such-path", 404),
        ("DELETE", "/api/v1/recipes", 405),
        ("GET", "/api/v1/jobs?limit=0", 422),
        ("GET", "/api/v1/jobs?state=asleep", 422),
        ("GET", "/api/v1/jobs?color=red", 422),
    ],
)
def test_what_is_not_there_is_a_problem_document_too(api: FlaskClient, method: str, path: str, status: int) -> None:
    assert_problem(api.open(path, method=method), status)


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "soon"])
def test_a_wait_that_is_no_time_is_refused(api: FlaskClient, wait: str) -> None:
    job = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json

    assert_problem(api.get(f"{job['links']['self']}?wait={wait}"), 422, "wait")
