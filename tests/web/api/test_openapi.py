"""The OpenAPI document: whole, valid, with examples, and true of what the API answers."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from tenfold.web.api.openapi.document import METHODS, openapi_document
from tests.web.conftest import zip_bytes


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return openapi_document(app)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_it_is_a_valid_document_of_openapi_3_1(api: FlaskClient) -> None:
    document = api.get("/api/v1/openapi.json").json

    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_it_has_every_call_of_the_api(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method, rule.endpoint.rpartition(".")[2])
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) & set(METHODS)
    }

    assert {(method, operation["operationId"]) for method, _, operation in operations(document)} == routes


def test_every_call_says_what_it_is_for_and_gives_an_example(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, operation in operations(document):
        call = f"{method} {path}"
        assert operation["summary"], call
        assert operation["description"], call
        assert set(operation["tags"]) <= tags, call
        assert operation["x-codeSamples"][0]["source"].startswith("curl "), call
        for parameter in operation.get("parameters", []):
            assert parameter["description"], f"{call}: {parameter['name']}"
        for content in contents(operation):
            if "properties" in str(content.get("schema")) or "$ref" in content.get("schema", {}):
                assert "example" in content, call


def test_every_example_is_as_its_schema_says(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for content in contents(operation):
            if "example" in content and "file" not in content["schema"].get("properties", {}):
                assert_valid(document, content["schema"], content["example"], f"{method} {path}")


def test_what_the_api_answers_is_as_its_schema_says(api: FlaskClient, document: dict[str, Any], model: str) -> None:
    job = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json
    zipped = {"data": zip_bytes("1.png"), "content_type": "application/zip"}
    webhook = api.post("/api/v1/webhooks", json={"url": "https://example.org/"}).json
    upload = api.post("/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "3"}).json
    answered = {
        ("GET", "/jobs"): api.get("/api/v1/jobs"),
        ("GET", "/jobs/{job_id}"): api.get(job["links"]["self"]),
        ("GET", "/jobs/{job_id}/files"): api.get(job["links"]["files"]),
        ("POST", "/jobs/{job_id}/cancel"): api.post(f"{job['links']['self']}/cancel"),
        ("POST", "/jobs/{job_id}/retry"): api.post(f"{job['links']['self']}/retry"),
        ("POST", "/classifications"): api.post("/api/v1/classifications", **zipped),
        ("POST", "/sweeps"): api.post("/api/v1/sweeps", json={"recipe": "dropout-128", "space": "dropout=0|0.2"}),
        ("GET", "/models"): api.get("/api/v1/models"),
        ("GET", "/models/{model_id}"): api.get(f"/api/v1/models/{model}"),
        ("GET", "/models/{model_id}/aliases"): api.get(f"/api/v1/models/{model}/aliases"),
        ("PUT", "/aliases/{alias}"): api.put("/api/v1/aliases/candidate", json={"model": model}),
        ("GET", "/aliases"): api.get("/api/v1/aliases"),
        ("GET", "/aliases/{alias}"): api.get("/api/v1/aliases/candidate"),
        ("GET", "/aliases/{alias}/changes"): api.get("/api/v1/aliases/candidate/changes"),
        ("GET", "/datasets"): api.get("/api/v1/datasets"),
        ("GET", "/datasets/{name}"): api.get("/api/v1/datasets/mnist"),
        ("GET", "/recipes"): api.get("/api/v1/recipes"),
        ("GET", "/readyz"): api.get("/api/v1/readyz"),
        ("GET", "/webhooks"): api.get("/api/v1/webhooks"),
        ("GET", "/webhooks/{webhook_id}"): api.get(webhook["links"]["self"]),
        ("GET", "/webhooks/{webhook_id}/deliveries"): api.get(webhook["links"]["deliveries"]),
        ("GET", "/uploads"): api.get("/api/v1/uploads"),
        ("GET", "/uploads/{upload_id}"): api.get(upload["links"]["self"]),
    }
    for (method, path), response in answered.items():
        operation = document["paths"][f"/api/v1{path}"][method.lower()]
        declared = operation["responses"][str(response.status_code)]["content"]["application/json"]["schema"]
        assert_valid(document, declared, response.json, f"{method} {path}")


def test_an_answer_has_no_field_that_its_schema_does_not_know(api: FlaskClient, document: dict[str, Any]) -> None:
    job = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json

    assert set(job) == set(document["components"]["schemas"]["JobDocument"]["properties"])
    problem = api.get("/api/v1/jobs/no-such").json
    assert set(problem) <= set(document["components"]["schemas"]["Problem"]["properties"])


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for status, response in operation["responses"].items():
        if status < "400":
            yield from response.get("content", {}).values()


def assert_valid(document: dict[str, Any], schema: dict[str, Any], instance: Any, call: str) -> None:
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
    errors = [f"{call}: {error.message} at {error.instance_path}" for error in validator.iter_errors(instance)]
    assert not errors


def test_the_reference_shows_every_call_and_obeys_the_policy(api: FlaskClient, document: dict[str, Any]) -> None:
    page = api.get("/api/")

    assert page.status_code == 200
    for _, _, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page.text
    assert " style=" not in page.text
    assert "<style" not in page.text
    assert page.text.count("<script") == page.text.count("<script src=") + page.text.count('<script type="module" src=')
