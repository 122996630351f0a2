"""The review of a classification through the API and the pages, with a worker that runs in this process."""

import csv
import io
from typing import Any, get_args

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.images.quality import Quality
from tenfold.web.core.qualities import QUALITIES
from tenfold.web.pages.review.keys import class_keys
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.reviews import classified, digits, untrained_model, with_settings, work_off

COUNT = 12


@pytest.fixture
def job(services: Services, mnist: Dataset) -> Job:
    """A classification of twelve digits, all to review."""
    untrained_model(services)
    found = classified(services, digits(mnist, COUNT))
    assert found.error is None
    return found


def review(api: FlaskClient, job: Job, **query: Any) -> dict[str, Any]:
    document: dict[str, Any] = api.get(f"/api/v1/jobs/{job.id}/review", query_string=query).json
    return document


def say(api: FlaskClient, job: Job, row: int, label: str | None) -> Any:
    return api.put(f"/api/v1/jobs/{job.id}/review/{row}", json={"label": label})


def test_doubtful_answers_are_listed_the_least_certain_first(api: FlaskClient, job: Job) -> None:
    listed = review(api, job)

    confidences = [item["confidence"] for item in listed["items"]]
    assert confidences == sorted(confidences)
    assert listed["counts"] == {"total": COUNT, "open": COUNT, "corrected": 0}
    assert listed["classes"] == list("0123456789")
    assert (listed["review_below"], listed["next"]) == (1, None)
    item = listed["items"][0]
    assert item["correction"] is None
    assert "a confidence of 100.0 % or less" in item["reason"]
    assert api.get(f"/api/v1/jobs/{job.id}").json["links"]["review"] == f"/api/v1/jobs/{job.id}/review"


def test_pages_follow_each_other_to_the_end(api: FlaskClient, job: Job) -> None:
    seen, following = [], f"/api/v1/jobs/{job.id}/review?limit=5"
    while following:
        page = api.get(following).json
        assert len(page["items"]) <= 5
        seen += [item["row"] for item in page["items"]]
        following = page["next"]

    assert seen == [item["row"] for item in review(api, job)["items"]]
    assert sorted(seen) == list(range(COUNT))


def test_a_correction_is_set_replaced_and_cleared(api: FlaskClient, job: Job) -> None:
    row = review(api, job)["items"][3]["row"]

    first = say(api, job, row, "7")
    assert first.status_code == 200
    assert first.json["correction"]["label"] == "7"
    assert say(api, job, row, None).json["correction"]["label"] is None

    listed = review(api, job)
    assert listed["counts"] == {"total": COUNT, "open": COUNT - 1, "corrected": 1}
    assert listed["items"][3]["correction"]["corrected_at"].endswith("Z")
    assert row not in [item["row"] for item in review(api, job, only="open")["items"]]
    for _ in range(2):
        assert api.delete(f"/api/v1/jobs/{job.id}/review/{row}").status_code == 204
    assert review(api, job)["counts"]["corrected"] == 0


def test_what_cannot_be_said_is_told_why(api: FlaskClient, job: Job) -> None:
    unknown = say(api, job, 3, "seven")
    assert unknown.status_code == 422
    assert unknown.content_type == "application/problem+json"
    assert unknown.json["errors"][0]["field"] == "label"
    assert "its classes are: 0, 1, 2" in unknown.json["detail"]

    url = f"/api/v1/jobs/{job.id}/review/3"
    for body in ({}, {"label": 7}, {"label": "7", "sure": True}):
        assert api.put(url, json=body).status_code == 422
    assert say(api, job, 99, "7").status_code == 404
    assert "no row 99" in say(api, job, 99, "7").json["detail"]
    assert api.delete(f"/api/v1/jobs/{job.id}/review/99").status_code == 404
    assert review(api, job)["counts"]["corrected"] == 0


@pytest.mark.parametrize("query", ["cursor=-1", "limit=0", "limit=501", "only=closed", "page=2"])
def test_a_list_that_cannot_be_is_refused(api: FlaskClient, job: Job, query: str) -> None:
    assert api.get(f"/api/v1/jobs/{job.id}/review?{query}").status_code == 422


def test_only_finished_classifications_can_be_reviewed(api: FlaskClient, services: Services, job: Job) -> None:
    training = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json

    refused = api.get(f"{training['links']['self']}/review")
    assert refused.status_code == 409
    assert "is a training" in refused.json["detail"]
    assert api.get("/api/v1/jobs/nosuch/review").status_code == 404
    services.volume.review(job.id).rename(services.volume.job(job.id) / "elsewhere")
    assert "Classify the images again" in api.get(f"/api/v1/jobs/{job.id}/review").json["detail"]
    assert api.get(f"/jobs/{job.id}").status_code == 200


def test_pictures_are_shown_by_any_browser(api: FlaskClient, services: Services, mnist: Dataset) -> None:
    untrained_model(services)
    tiff = io.BytesIO()
    Image.fromarray(mnist.test_images[0]).convert("CMYK").resize((900, 600)).save(tiff, "TIFF")
    job = classified(with_settings(services, max_review_images=1), {"scan.tif": tiff.getvalue()})
    [item] = review(api, job)["items"]

    original, seen = (api.get(item["links"][name]) for name in ("picture", "model_input"))

    assert (original.content_type, seen.content_type) == ("image/jpeg", "image/png")
    assert Image.open(io.BytesIO(original.data)).size == (320, 213)
    assert Image.open(io.BytesIO(seen.data)).size == (28, 28)
    assert original.cache_control.max_age > 3600
    assert api.get(f"/api/v1/jobs/{job.id}/review/5/picture").status_code == 404


def test_a_picture_that_was_not_kept_says_so(api: FlaskClient, services: Services, mnist: Dataset) -> None:
    untrained_model(services)
    job = classified(with_settings(services, max_review_images=0), digits(mnist, 3))
    [item, *_] = review(api, job)["items"]

    assert item["links"]["picture"] is None
    refused = api.get(f"/api/v1/jobs/{job.id}/review/{item['row']}/picture")
    assert refused.status_code == 404
    assert "only the least certain" in refused.json["detail"]
    assert "No picture is stored" in api.get(f"/jobs/{job.id}/review").text


def test_corrections_come_as_csv(api: FlaskClient, job: Job) -> None:
    items = {item["row"]: item for item in review(api, job)["items"]}
    say(api, job, 5, None)
    say(api, job, 2, "7")

    response = api.get(f"/api/v1/jobs/{job.id}/corrections.csv")

    assert response.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["row"], row["name"], row["corrected"]) for row in rows] == [
        ("2", "002.png", "7"),
        ("5", "005.png", "(none)"),
    ]
    assert rows[0]["prediction"] == items[2]["prediction"]
    assert float(rows[0]["confidence"]) == items[2]["confidence"]


def test_corrections_are_merged_and_the_data_set_can_be_trained_on(
    api: FlaskClient, services: Services, job: Job, mnist: Dataset
) -> None:
    for row in range(COUNT):
        say(api, job, row, str(mnist.test_labels[row]))
    write_dataset(mnist.head(100, 50), services.volume.dataset("some"))

    body = {"classification": job.id, "dataset": "better", "together_with": "some"}
    accepted = api.post("/api/v1/reviews", json=body, headers={"Idempotency-Key": "once"})

    assert accepted.status_code == 202, accepted.text
    assert accepted.json["kind"] == "review"
    assert accepted.json["progress"] == {
        "done": 0,
        "total": COUNT,
        "unit": "corrections",
        "fraction": 0,
        "eta_seconds": None,
        "detail": {},
    }
    again = api.post("/api/v1/reviews", json=body, headers={"Idempotency-Key": "once"})
    assert again.json["id"] == accepted.json["id"]
    ended = work_off(services, services.jobs.get(accepted.json["id"]))
    assert ended.state is JobState.SUCCEEDED, ended.error
    assert api.get("/api/v1/datasets/better").json["train_images"] == 100 + COUNT
    page = api.get(f"/jobs/{ended.id}").text
    assert 'href="/train?dataset=better"' in page
    assert f'href="/jobs/{job.id}"' in page
    assert f"{COUNT} reviewed" in api.get("/").text
    assert api.delete("/api/v1/datasets/some").status_code == 204


def test_a_merge_that_cannot_be_names_its_field(api: FlaskClient, job: Job) -> None:
    def field(**body: str) -> str:
        response = api.post("/api/v1/reviews", json={"classification": job.id, **body})
        assert response.status_code == 422
        return str(response.json["errors"][0]["field"])

    assert field() == "classification"
    say(api, job, 1, "7")
    assert field(dataset="No Name") == "dataset"
    assert field(dataset="mnist") == "dataset"
    assert field(dataset="new", together_with="nosuch") == "together_with"


def test_a_data_set_that_a_merge_needs_stays(api: FlaskClient, services: Services, job: Job, mnist: Dataset) -> None:
    write_dataset(mnist.head(100, 50), services.volume.dataset("some"))
    say(api, job, 1, "7")
    merge = {"classification": job.id, "dataset": "new", "together_with": "some"}
    review = api.post("/api/v1/reviews", json=merge).json["id"]

    refused = api.delete("/api/v1/datasets/some")

    assert refused.status_code == 409
    assert f"Unfinished jobs use the data set some: {review}" in refused.json["detail"]


def test_the_page_works_by_forms_alone(api: FlaskClient, job: Job) -> None:
    first, second = review(api, job)["items"][:2]
    page = api.get(f"/jobs/{job.id}/review").text
    assert first["links"]["picture"] in page
    assert f"0 of {COUNT} reviewed" in page

    went = api.post(f"/jobs/{job.id}/review/{first['row']}", data={"label": "7"})

    assert went.location == f"/jobs/{job.id}/review?rank=1"
    page = api.get(went.location).text
    assert second["links"]["picture"] in page
    assert f"1 of {COUNT} reviewed" in page
    api.post(f"/jobs/{job.id}/review/{second['row']}", data={"none": "1"})
    assert "none of these" in api.get(f"/jobs/{job.id}/review?rank=1").text
    cleared = api.post(f"/jobs/{job.id}/review/{second['row']}", data={"clear": "1"})
    assert cleared.location == f"/jobs/{job.id}/review?rank=1"
    assert review(api, job)["counts"]["corrected"] == 1
    assert api.post(f"/jobs/{job.id}/review/{first['row']}", data={"label": "x"}).status_code == 422


def test_after_the_last_the_page_goes_on_with_those_left_out(api: FlaskClient, job: Job) -> None:
    last = review(api, job)["items"][-1]

    assert api.post(f"/jobs/{job.id}/review/{last['row']}", data={"label": "7"}).location.endswith("rank=0")

    for row in range(COUNT):
        say(api, job, row, "7")
    assert f"All {COUNT} answers are reviewed" in api.get(f"/jobs/{job.id}/review").text


def test_the_form_suggests_a_free_name_and_the_model_s_data_set(
    api: FlaskClient, services: Services, job: Job, mnist: Dataset
) -> None:
    say(api, job, 1, "7")
    page = api.get(f"/jobs/{job.id}/review").text
    [name] = [part.split('"')[0] for part in page.split('value="') if part.startswith("corrections-")]
    assert '<option value="mnist" selected>' in page
    assert '<option value="fashion-mnist"' not in page
    write_dataset(mnist.head(20, 20), services.volume.dataset(name))
    assert f'value="{name}-2"' in api.get(f"/jobs/{job.id}").text

    merged = api.post(f"/jobs/{job.id}/review/merge", data={"dataset": "", "together_with": ""})
    [found] = [found for found in services.jobs.list() if found.kind == "review"]
    assert merged.location == f"/jobs/{found.id}"
    refused = api.post(f"/jobs/{job.id}/review/merge", data={"dataset": "My Data"})
    assert refused.status_code == 422
    assert 'value="My Data"' in refused.text
    assert "is not a valid data set name" in refused.text


def test_a_classification_without_doubts_says_so_and_leads_on(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    untrained_model(services)
    job = classified(services, digits(mnist, 3), review_below=0)

    assert "Nothing to review" in api.get(f"/jobs/{job.id}/review").text
    page = api.get(f"/jobs/{job.id}").text
    assert "Accepted" in page
    assert "uncertain answer" not in page
    assert review(api, job)["items"] == []


def test_a_class_has_the_key_that_tells_it_from_the_others() -> None:
    assert class_keys("0123456789") == {digit: digit for digit in "0123456789"}
    assert class_keys(["cat", "cow", "Dog"]) == {"Dog": "d"}
    assert class_keys(["A", "a", "b"]) == {"A": "A", "a": "a", "b": "b"}
    assert class_keys(["9", "10", "11"]) == {"9": "9"}


def test_a_class_that_takes_a_key_leaves_delete_for_none_of_these(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    untrained_model(services, ["xylophone", "drum"])
    page = api.get(f"/jobs/{classified(services, digits(mnist, 3)).id}/review").text

    assert page.count('data-key="x"') == 1
    assert 'id="none" name="none" value="1" aria-keyshortcuts="Delete"' in page


def test_every_fault_of_an_image_has_its_sentence() -> None:
    assert set(QUALITIES) == set(get_args(Quality))
