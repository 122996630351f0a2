"""A person's own data sets through the API and the pages, imported by a worker that runs in this process."""

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.uploads import class_folders, csv_of, idx_zip, npz

ONE_CLASS = npz(images=np.zeros((20, 28, 28), np.uint8), labels=np.zeros(20, np.uint8))


def upload(api: FlaskClient, content: bytes, way: str = "form", **fields: Any) -> TestResponse:
    fields = {"name": "own", **fields}
    if way == "form":
        return api.post("/api/v1/datasets", data={"file": (io.BytesIO(content), "upload.bin"), **fields})
    query = {"filename": "upload.bin", **fields}
    return api.post("/api/v1/datasets", query_string=query, data=content, content_type="application/octet-stream")


def work(api: FlaskClient, services: Services, job_id: str) -> dict[str, Any]:
    """Run the job's steps as a worker does; the job as the API then tells it."""
    for step in services.jobs.queued_steps(job_id):
        Runner(services, shutting_down=lambda: False).run(step)
    document: dict[str, Any] = api.get(f"/api/v1/jobs/{job_id}").json
    return document


@pytest.fixture
def own(api: FlaskClient, services: Services, mnist: Dataset) -> str:
    """An imported data set of two classes; returns the import's id."""
    job = upload(api, class_folders(mnist, {0: "ring", 1: "stroke"}, images=300)).json["id"]
    assert work(api, services, job)["state"] == "succeeded"
    return str(job)


@pytest.mark.parametrize("kind", ["class folders", "IDX files", "npz", "csv"])
@pytest.mark.parametrize("way", ["form", "raw"])
def test_each_kind_of_file_becomes_a_data_set(
    api: FlaskClient, services: Services, mnist: Dataset, kind: str, way: str
) -> None:
    few = mnist.head(120, 60)
    content = {
        "class folders": lambda: class_folders(mnist, {digit: str(digit) for digit in range(10)}, images=120),
        "IDX files": lambda: idx_zip(few),
        "npz": lambda: npz(images=few.train_images, labels=few.train_labels),
        "csv": lambda: csv_of(mnist, 120),
    }[kind]()

    accepted = upload(api, content, way, test_share="0.25")

    assert accepted.status_code == 202, accepted.text
    assert accepted.json["kind"] == "import"
    assert accepted.json["source"]["name"] == "upload.bin"
    assert accepted.json["parameters"] == {
        "name": "own",
        "test_share": 0.25,
        "preprocessing": "auto",
        "size": "auto",
        "color": "auto",
    }
    assert accepted.json["progress"] == {
        "done": 0,
        "total": 1,
        "unit": "file",
        "fraction": 0.0,
        "eta_seconds": None,
        "detail": {},
    }
    job = work(api, services, accepted.json["id"])
    assert job["state"] == "succeeded", job["error"]
    assert job["progress"]["fraction"] == 1
    assert job["summary"]["classes"] == list("0123456789")
    assert job["summary"]["images"] == (180 if kind == "IDX files" else 120)
    assert job["summary"]["input"]["preprocessing"] == "digit"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (ONE_CLASS, "only one class"),
        (npz(images=np.full((20, 28, 28), np.nan), labels=np.arange(20) % 2), "NaN"),
        (npz(images=np.zeros((20, 5), np.uint8), labels=np.arange(20) % 2), "shape (20, 5)"),
        (b"\x00\x01 neither text nor archive", "unsupported format"),
    ],
    ids=["one class", "NaN", "wrong shape", "neither"],
)
def test_what_is_no_data_set_fails_with_its_reason_and_is_not_listed(
    api: FlaskClient, services: Services, content: bytes, says: str
) -> None:
    job = work(api, services, upload(api, content).json["id"])

    assert job["state"] == "failed"
    assert says in job["error"]
    assert list(services.volume.datasets.iterdir()) == []
    assert [dataset["name"] for dataset in api.get("/api/v1/datasets").json["items"]] == ["mnist", "fashion-mnist"]
    page = api.get(f"/jobs/{job['id']}").text
    assert "Upload a corrected file" in page
    assert "numpy.savez" in page


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": "Own Data"}, "name", "lowercase letters, digits"),
        ({"name": "../own"}, "name", "is not a valid data set name"),
        ({"name": "own\n"}, "name", "is not a valid data set name"),
        ({"name": "x" * 65}, "name", "is not a valid data set name"),
        ({"name": "mnist"}, "name", "built-in"),
        ({"test_share": "0.9"}, "test_share", "less than or equal to 0.5"),
        ({"test_share": "nan"}, "test_share", ""),
        ({"color": "red"}, "color", "gray"),
        ({"size": "7"}, "size", "8 to 128"),
        ({"kolor": "red"}, "kolor", "not permitted"),
    ],
)
@pytest.mark.parametrize("way", ["form", "raw"])
def test_a_bad_submission_names_its_field_and_leaves_nothing(
    api: FlaskClient, services: Services, fields: dict[str, str], field: str, says: str, way: str
) -> None:
    response = upload(api, ONE_CLASS, way, **fields)

    assert response.status_code == 422
    assert [error["field"] for error in response.json["errors"]] == [field]
    assert says in response.json["detail"]
    assert not services.jobs.list()
    assert not list(services.volume.uploads.iterdir())
    assert not list(services.volume.root.glob("jobs/*"))


def test_a_file_that_is_missing_or_empty_is_told(api: FlaskClient) -> None:
    missing = api.post("/api/v1/datasets", data={"name": "own"}, content_type="multipart/form-data")
    empty = upload(api, b"")

    assert (missing.status_code, empty.status_code) == (422, 422)
    assert "Choose a data set and send it as 'file'" in missing.json["detail"]
    assert "Send a data set" in empty.json["detail"]


def test_a_repeated_upload_is_the_same_job(api: FlaskClient) -> None:
    def post() -> str:
        headers = {"Idempotency-Key": "once"}
        query = {"name": "own"}
        return str(api.post("/api/v1/datasets", query_string=query, data=ONE_CLASS, headers=headers).json["id"])

    assert post() == post()
    assert len(api.get("/api/v1/jobs?kind=import").json["items"]) == 1


def test_a_name_in_use_is_refused_until_it_is_deleted(api: FlaskClient, own: str) -> None:
    refused = upload(api, ONE_CLASS)
    assert refused.status_code == 422
    assert "own is already in use" in refused.json["detail"]

    assert api.delete("/api/v1/datasets/own").status_code == 204
    assert api.get("/api/v1/datasets/own").status_code == 404
    assert upload(api, ONE_CLASS).status_code == 202


def test_data_sets_are_listed_with_what_they_hold(api: FlaskClient, own: str) -> None:
    mnist, fashion, listed = api.get("/api/v1/datasets").json["items"]

    assert (mnist["ready"], mnist["train_images"], mnist["links"]["preview"]) == (False, 60_000, None)
    assert fashion["classes"][0] == "T-shirt/top"
    assert (listed["name"], listed["ready"], listed["builtin"]) == ("own", True, False)
    assert listed["classes"] == ["ring", "stroke"]
    one = api.get(listed["links"]["self"]).json
    assert one["report"]["per_class"]["ring"]["train"] > 0
    assert one["train_images"] + one["test_images"] == one["report"]["images"]


def test_a_preview_is_a_picture_and_a_missing_one_says_when_it_comes(api: FlaskClient, own: str) -> None:
    preview = api.get("/api/v1/datasets/own/preview.png")

    assert preview.content_type == "image/png"
    assert preview.data.startswith(b"\x89PNG")
    etag = preview.headers["ETag"]
    assert api.get("/api/v1/datasets/own/preview.png", headers={"If-None-Match": etag}).status_code == 304
    missing = api.get("/api/v1/datasets/mnist/preview.png")
    assert missing.status_code == 404
    assert "when the data set is fetched" in missing.json["detail"]


@pytest.mark.parametrize("name", ["no-such", "..", "%2e%2e", "..%2fjobs", "Own"])
def test_what_is_no_data_set_is_not_to_be_had(api: FlaskClient, name: str) -> None:
    for path in (f"/api/v1/datasets/{name}", f"/api/v1/datasets/{name}/preview.png"):
        assert api.get(path).status_code in (308, 404)
    assert api.delete(f"/api/v1/datasets/{name}").status_code in (308, 404, 405)


def test_a_data_set_is_deleted_only_when_no_training_needs_it(api: FlaskClient, own: str) -> None:
    training = api.post("/api/v1/trainings", json={"recipe": "dropout-128", "dataset": "own"}).json

    refused = api.delete("/api/v1/datasets/own")

    assert refused.status_code == 409
    assert training["id"] in refused.json["detail"]
    assert api.delete("/api/v1/datasets/mnist").status_code == 409
    api.post(f"{training['links']['self']}/cancel")
    assert api.delete("/api/v1/datasets/own").status_code == 204


def test_a_cancelled_import_leaves_no_data_set_and_can_be_retried(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    job = upload(api, csv_of(mnist, 100)).json
    api.post(f"{job['links']['self']}/cancel")
    assert work(api, services, job["id"])["state"] == "cancelled"
    assert list(services.volume.datasets.iterdir()) == []

    api.post(f"{job['links']['self']}/retry")

    assert work(api, services, job["id"])["state"] == "succeeded"


def test_a_training_on_no_data_set_is_refused_with_those_there_are(api: FlaskClient, own: str) -> None:
    response = api.post("/api/v1/trainings", json={"recipe": "dropout-128", "dataset": "letters"})

    assert response.status_code == 422
    assert response.json["errors"][0]["field"] == "dataset"
    assert "mnist, fashion-mnist, own" in response.json["detail"]


def test_the_page_has_a_card_for_each_and_a_form_with_every_layout(api: FlaskClient, own: str) -> None:
    page = api.get("/datasets").text

    for text in (
        "MNIST, handwritten digits",
        "Ankle boot",
        "ring, stroke",
        "/train?dataset=own",
        "Not downloaded yet",
    ):
        assert text in page
    for layout in ("train/cat/1.png", "train-images-idx3-ubyte", "numpy.savez", "label,pixel0"):
        assert layout in page


def test_a_data_set_is_uploaded_by_form_and_its_job_leads_to_it(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    form = {"name": "own", "test_share": "", "file": (io.BytesIO(csv_of(mnist, 100)), "<b>digits.csv")}

    location = api.post("/datasets", data=form).location
    [job] = services.jobs.list()
    assert location == f"/jobs/{job.id}"
    assert "Import of own" in api.get(location).text
    work(api, services, job.id)

    page = api.get(location).text
    assert "/datasets/own" in page
    assert "/train?dataset=own" in page
    assert "&lt;b&gt;digits.csv" in page
    assert "Import of own" in api.get("/").text
    assert "100 images of 10 classes" in api.get("/").text


def test_a_bad_form_comes_back_with_what_was_entered_and_the_reason(api: FlaskClient, services: Services) -> None:
    form = {"name": "My Data", "test_share": "0.2", "file": (io.BytesIO(ONE_CLASS), "d.npz")}

    response = api.post("/datasets", data=form)

    assert response.status_code == 422
    assert 'value="My Data"' in response.text
    assert "lowercase letters" in response.text
    assert not services.jobs.list()


def test_a_data_set_is_deleted_by_its_button(api: FlaskClient, own: str) -> None:
    assert api.post("/datasets/own/delete").location == "/datasets"

    assert "ring, stroke" not in api.get("/datasets").text
    assert "The data set has been deleted" in api.get(f"/jobs/{own}").text


def test_the_form_of_a_training_offers_the_data_sets_there_are(api: FlaskClient, own: str) -> None:
    page = api.get("/train?dataset=own").text

    assert '<option value="own" selected>own: 2 classes' in page
    assert '<option value="fashion-mnist" >' in page
    assert "The data set &#39;gone&#39; does not exist" in api.get("/train?dataset=gone").text
    assert api.post("/train", data={"recipe": "dropout-128", "dataset": "gone"}).status_code == 422


def test_two_data_sets_are_compared_image_by_image(api: FlaskClient, services: Services, mnist: Dataset) -> None:
    a = mnist.head(40, 20)
    labels = a.train_labels.copy()
    labels[3] = (labels[3] + 1) % 10
    b = replace(a, train_labels=labels, test_images=a.test_images[1:], test_labels=a.test_labels[1:])
    write_dataset(a, services.volume.dataset("a"))
    write_dataset(b, services.volume.dataset("b"))

    found = api.get("/api/v1/datasets/a/diff", query_string={"other": "b"}).json

    assert found["summary"] == "b against a: 1 image removed, 1 image with another label; 59 images in both."
    [relabeled] = found["relabeled"]["items"]
    assert (relabeled["a"]["label"], relabeled["b"]["label"]) == (str(a.train_labels[3]), str(labels[3]))
    picture = api.get(relabeled["b"]["links"]["picture"])
    assert (np.asarray(Image.open(io.BytesIO(picture.data))) == 255 - a.train_images[3]).all()
    page = api.get("/datasets/a/diff?other=b").text
    assert found["summary"] in page
    assert relabeled["b"]["links"]["picture"] in page


def test_data_sets_of_other_sizes_are_told_to_have_no_image_in_common(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    a = mnist.head(40, 20)
    write_dataset(a, services.volume.dataset("a"))
    record = {"class_names": list(a.class_names), "input": InputSpec("resize", 20, 20).as_dict()}
    cropped = replace(a, train_images=a.train_images[:, 4:24, 4:24], test_images=a.test_images[:, 4:24, 4:24])
    write_dataset(cropped, services.volume.dataset("b"))
    (services.volume.dataset("b") / "about.json").write_text(json.dumps(record))

    found = api.get("/api/v1/datasets/a/diff", query_string={"other": "b"}).json

    assert found["summary"].endswith("a has 28×28 gray images, b 20×20 gray, so none can be the same.")


def test_what_is_no_image_of_a_data_set_is_refused_with_the_reason(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    write_dataset(mnist.head(40, 20), services.volume.dataset("a"))

    assert "has 20 test images" in api.get("/api/v1/datasets/a/images/test/20.png").json["detail"]
    assert "are train and test" in api.get("/api/v1/datasets/a/images/val/0.png").json["detail"]
    assert api.get("/api/v1/datasets/a/diff", query_string={"other": "nosuch"}).status_code == 404
    missing = api.get("/api/v1/datasets/a/diff", query_string={"other": "mnist"})
    assert (missing.status_code, "not downloaded yet" in missing.json["detail"]) == (409, True)
