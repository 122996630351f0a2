"""Methods, ranges and conditions, as RFC 9110 has them."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tenfold.trainer.data.datasets import Dataset
from tenfold.web.api.openapi.document import openapi_document
from tenfold.worker.services import Services
from tests.reviews import classified, digits, untrained_model

CONTENT = b"0123456789"


@pytest.fixture
def file(model: str) -> str:
    """The address of a file of ten bytes."""
    return f"/api/v1/models/{model}/files/model.keras"


@pytest.mark.parametrize("given", ["lines=1-2", "items=0-", "bytes", "nonsense", "bytes=0-1,5-6", "=", "Seconds=1-2"])
def test_a_range_that_cannot_be_served_counts_for_nothing(given: str, file: str, api: FlaskClient) -> None:
    answer = api.get(file, headers={"Range": given})

    assert (answer.status_code, answer.data) == (200, CONTENT)
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("unit", ["bytes", "Bytes"])
def test_a_range_of_bytes_is_served(unit: str, file: str, api: FlaskClient) -> None:
    answer = api.get(file, headers={"Range": f"{unit}=2-4"})

    assert (answer.status_code, answer.data) == (206, b"234")
    assert answer.headers["Content-Range"] == "bytes 2-4/10"


def test_a_range_beyond_the_file_is_refused(file: str, api: FlaskClient) -> None:
    answer = api.get(file, headers={"Range": "bytes=10-"})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */10"


def test_a_range_is_served_only_of_the_file_that_if_range_names(
    file: str, api: FlaskClient, services: Services, model: str
) -> None:
    etag = api.get(file).headers["ETag"]
    part = {"Range": "bytes=2-4", "If-Range": etag}
    assert api.get(file, headers=part).status_code == 206

    path = services.volume.model(model) / "model.keras"
    path.unlink()
    path.write_bytes(b"9876543210")

    answer = api.get(file, headers=part)
    assert (answer.status_code, answer.data) == (200, b"9876543210")
    assert answer.headers["ETag"] != etag


READABLE = (
    "jobs",
    "models",
    "models/production",
    "models/model-1",
    "aliases",
    "datasets",
    "recipes",
    "openapi.json",
    "workers",
)


@pytest.mark.parametrize("call", READABLE)
def test_head_has_the_etag_of_get_and_conditions_hold_for_it(call: str, api: FlaskClient, model: str) -> None:
    address = f"/api/v1/{call}"
    got, head = api.get(address), api.head(address)

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]
    for ask in (api.get, api.head):
        assert ask(address, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304


def test_head_of_a_file_has_its_etag_and_length_whatever_the_range(file: str, api: FlaskClient) -> None:
    head = api.head(file, headers={"Range": "bytes=2-4"})

    assert head.status_code == 200
    assert head.headers["ETag"] == api.get(file).headers["ETag"]
    assert head.headers["Content-Length"] == "10"


def addresses(app: Flask) -> Iterator[tuple[str, set[str]]]:
    """Each address of the API with the methods that its description has."""
    for path, methods in openapi_document(app)["paths"].items():
        yield path, {method.upper() for method in methods}


def test_allow_names_the_methods_that_there_are(app: Flask, api: FlaskClient) -> None:
    filled = dict.fromkeys(("job_id", "model_id", "upload_id", "webhook_id", "name", "alias"), "a")
    filled |= {"row": "0", "rank": "0", "part": "test", "index": "0"}
    for path, methods in addresses(app):
        for asked, status in (("TRACE", 405), ("OPTIONS", 204 if path.endswith("/uploads") else 200)):
            answer = api.open(path.format(**filled), method=asked)
            allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
            assert answer.status_code == status, path
            assert allowed - {"HEAD", "OPTIONS"} == methods, path
            assert "OPTIONS" in allowed, path
            assert ("HEAD" in allowed) == ("GET" in methods), path


def test_whatever_can_be_posted_to_can_be_listed(app: Flask) -> None:
    posted = {path for path, methods in addresses(app) if "POST" in methods and "GET" not in methods}

    # Predictions are not stored; the others are actions on a job.
    assert posted == {f"/api/v1/{path}" for path in ("predictions", "jobs/{job_id}/cancel", "jobs/{job_id}/retry")}


def test_every_list_has_its_items_and_the_next_page_by_the_same_names(app: Flask) -> None:
    schemas = openapi_document(app)["components"]["schemas"]
    lists = {name: set(schema["properties"]) for name, schema in schemas.items() if name.endswith("List")}

    assert len(lists) == 11
    assert all(names == {"items", "next"} for names in lists.values()), lists
    assert lists["JobList"] < set(schemas["ReviewDocument"]["properties"])


def test_the_list_of_a_kind_is_that_of_the_jobs_of_this_kind(api: FlaskClient) -> None:
    training = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json["id"]
    sweep = api.post("/api/v1/sweeps", json={"recipe": "dropout-128", "space": "dropout=0|0.2"}).json["id"]
    other = api.post("/api/v1/trainings", json={"recipe": "cnn"}).json["id"]

    first = api.get("/api/v1/trainings?limit=1&state=queued").json
    assert [job["id"] for job in first["items"]] == [other]
    assert [job["id"] for job in api.get(first["next"]).json["items"]] == [training]
    assert [job["id"] for job in api.get("/api/v1/sweeps").json["items"]] == [sweep]
    assert api.get("/api/v1/classifications").json == api.get("/api/v1/reviews").json == {"items": [], "next": None}
    assert api.get("/api/v1/trainings?kind=sweep").status_code == 422


def test_nothing_is_deleted_that_if_match_does_not_match(api: FlaskClient, model: str) -> None:
    address = f"/api/v1/models/{model}"
    etag = api.get(address).headers["ETag"]

    for tag in ('"another"', etag, etag.removeprefix("W/")):  # this one is weak, and weak ones never match
        refused = api.delete(address, headers={"If-Match": tag})
        assert (refused.status_code, refused.json["code"]) == (412, "precondition_failed")
    assert api.delete("/api/v1/models/no-such", headers={"If-Match": "*"}).status_code == 404
    api.delete("/api/v1/aliases/production")
    assert api.delete(address, headers={"If-Match": "*"}).status_code == 204


def test_an_action_has_nothing_that_if_match_could_match(api: FlaskClient) -> None:
    job = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json

    refused = api.post(f"{job['links']['self']}/cancel", headers={"If-Match": "*"})

    assert refused.status_code == 412
    assert api.get(job["links"]["self"]).json["state"] == "queued"


@pytest.mark.parametrize("compressed", [False, True])
def test_an_alias_is_changed_only_as_it_was_seen(compressed: bool, api: FlaskClient, model: str) -> None:
    def put(tag: str) -> int:
        return api.put(address, json={"model": model}, headers={"If-Match": tag}).status_code

    address = "/api/v1/aliases/production"
    assert put("*") == 200
    encoding = {"Accept-Encoding": "br"} if compressed else {}
    etag = api.get(address, headers=encoding).headers["ETag"]

    assert put('"another"') == 412
    assert put(f"W/{etag}") == 412
    assert put(etag) == 200
    assert put(f'"another", {etag}') == 200
    assert api.delete(address, headers={"If-Match": etag}).status_code == 204
    assert put("*") == 412


def test_a_correction_replaces_only_what_was_seen(
    api: FlaskClient, app: Flask, services: Services, mnist: Dataset
) -> None:
    untrained_model(services)
    job = classified(services, digits(mnist, 2))
    address = f"/api/v1/jobs/{job.id}/review/0"

    def say(label: str, tag: str) -> Any:
        return api.put(address, json={"label": label}, headers={"If-Match": tag})

    first = say("7", "*")
    second = say("8", first.headers["ETag"])
    refused = say("9", first.headers["ETag"])

    assert (first.status_code, second.status_code, refused.status_code) == (200, 200, 412)
    assert refused.json["code"] == "precondition_failed"
    assert services.corrections.list(job.id)[0].label == "8"


@pytest.mark.parametrize("given", ["yes", "on", "1", 1, 0, 1.0, 2, "", [], {}])
def test_what_is_true_or_false_is_nothing_else(given: Any, api: FlaskClient) -> None:
    sweep = {"recipe": "dropout-128", "space": "dropout=0|0.2", "pruning": given}
    training = {"recipe": "dropout-128", "batch_normalization": given}

    for call, body, field in (("sweeps", sweep, "pruning"), ("trainings", training, "batch_normalization")):
        answer = api.post(f"/api/v1/{call}", json=body)
        assert answer.status_code == 422, call
        assert [error["field"] for error in answer.json["errors"]] == [field]


@pytest.mark.parametrize("given", [True, False, "true", "False"])
def test_true_and_false_are_taken_as_values_and_as_words(given: Any, api: FlaskClient) -> None:
    body = {"recipe": "dropout-128", "space": "dropout=0|0.2", "pruning": given}

    assert api.post("/api/v1/sweeps", json=body).json["parameters"]["pruning"] == (str(given).lower() == "true")


def test_a_poll_waits_for_a_bounded_time_as_the_schema_says(app: Flask, api: FlaskClient) -> None:
    job = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json["links"]["self"]
    declared = openapi_document(app)["paths"]["/api/v1/jobs/{job_id}"]["get"]["parameters"]
    [wait] = [parameter["schema"] for parameter in declared if parameter["name"] == "wait"]

    assert (wait["minimum"], wait["maximum"]) == (0, 3600)
    assert api.get(f"{job}?wait=3601").status_code == 422
    assert api.get(f"{job}?wait=5e307").status_code == 422
