"""Importing a model through the API and the page; the worker that does it runs in this process."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.services import Services
from tests.foreign_models import linear_onnx
from tests.reviews import work_off
from tests.uploads import zipped

DECLARED = {"input": "28x28x1", "preprocessing": "digit"}


@pytest.fixture(scope="module")
def network() -> bytes:
    return linear_onnx().SerializeToString()


def part(content: bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def test_a_form_with_a_model_and_a_sample_becomes_a_model(
    api: FlaskClient, services: Services, mnist: Dataset, network: bytes
) -> None:
    sample = zipped(
        {
            f"{label}/{number}.png": png(image)
            for number, (image, label) in enumerate(zip(mnist.test_images[:50], mnist.test_labels[:50], strict=True))
        }
    )
    fields: dict[str, Any] = {**DECLARED, "file": part(network, "net.onnx"), "check_file": part(sample, "mine.zip")}
    answer = api.post("/api/v1/models", data=fields)

    assert answer.status_code == 202, answer.text
    assert (answer.json["kind"], answer.json["source"]["name"]) == ("model_import", "net.onnx")
    work_off(services, services.jobs.get(answer.json["id"]))
    job = api.get(f"/api/v1/jobs/{answer.json['id']}").json
    assert (job["state"], job["summary"]["test_images"], job["summary"]["checked_on"]) == ("succeeded", 50, "mine.zip")
    model = api.get(f"/api/v1/models/{job['id']}").json
    assert model["recipe"] == "net (imported)"
    for page in (f"/jobs/{job['id']}", f"/models/{job['id']}", "/models", "/compare", "/predict", "/datasets/mnist"):
        assert api.get(page).status_code == 200, page
    assert list(services.volume.uploads.iterdir()) == []


def test_a_raw_body_declares_the_model_in_the_query(api: FlaskClient, network: bytes) -> None:
    query = {**DECLARED, "filename": "net.onnx", "classes": "a,b,c,d,e,f,g,h,i,j"}
    answer = api.post("/api/v1/models", query_string=query, data=network, content_type="application/octet-stream")
    assert answer.status_code == 202, answer.text
    assert answer.json["parameters"]["classes"] == list("abcdefghij")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"input": "28x28"}, "input", "height, width and channels"),
        ({"input": "28x28x4"}, "input", "28x28x1"),
        ({"input": "4x4x1"}, "input", "8 to 128"),
        ({"preprocessing": ""}, "preprocessing", ""),
        ({"input": "32x32x3"}, "preprocessing", "gray"),
        ({"classes": "a,a"}, "classes", "named twice"),
        ({"classes": "a"}, "classes", "2 to 1,000"),
        ({"classes": "a,,b"}, "classes", "no name"),
        ({"check": "missing"}, "check", "missing"),
        ({"scaling": "0-2"}, "scaling", "0-1"),
        ({"name": "\x00"}, "name", "printed"),
    ],
)
def test_a_wrong_declaration_names_the_field_and_leaves_nothing(
    changes: dict[str, str], field: str, words: str, api: FlaskClient, services: Services, network: bytes
) -> None:
    fields: dict[str, Any] = {**DECLARED, **changes, "file": part(network, "net.onnx")}
    answer = api.post("/api/v1/models", data=fields)

    assert answer.status_code == 422, answer.text
    [error] = answer.json["errors"]
    assert error["field"] == field
    assert words in error["message"]
    assert [*services.volume.uploads.iterdir(), *services.volume.jobs.iterdir()] == []


def test_without_a_file_the_page_says_so_and_keeps_what_was_declared(api: FlaskClient) -> None:
    answer = api.post("/models/import", data={**DECLARED, "classes": "cat,dog"}, content_type="multipart/form-data")

    assert answer.status_code == 422
    assert "No file was sent. Choose a model" in answer.text
    assert 'value="cat,dog"' in answer.text


def test_the_page_queues_the_import_and_leads_to_the_job(api: FlaskClient, network: bytes) -> None:
    assert api.get("/models/import").status_code == 200
    answer = api.post(
        "/models/import",
        data={**DECLARED, "file": part(network, "net.onnx"), "check_file": part(b"", "")},
    )

    assert answer.status_code == 303, answer.text
    assert "Import of the model net.onnx" in api.get(answer.headers["Location"]).text
