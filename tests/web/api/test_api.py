"""The API, call by call, as a client sees it."""

import io
import threading
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tenfold.web.app import create_app
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.states import JobKind
from tenfold.worker.services import Services
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import zip_bytes


def train(api: FlaskClient, **parameters: Any) -> dict[str, Any]:
    response = api.post("/api/v1/trainings", json={"recipe": "dropout-128", **parameters})
    assert response.status_code == 202, response.json
    document: dict[str, Any] = response.json
    return document


def test_a_training_is_accepted_with_its_address(api: FlaskClient) -> None:
    response = api.post("/api/v1/trainings", json={"recipe": "rmsprop-512", "seed": 7})

    assert response.status_code == 202
    job = response.json
    assert response.headers["Location"] == job["links"]["self"] == f"/api/v1/jobs/{job['id']}"
    assert job["state"] == "queued"
    assert job["parameters"]["batch_size"] == 128
    assert job["parameters"]["seed"] == 7
    assert job["progress"] == {
        "done": 0,
        "total": 5,
        "unit": "epochs",
        "fraction": 0.0,
        "eta_seconds": None,
        "detail": {},
    }


def test_a_classification_is_accepted_as_a_form(api: FlaskClient, model: str) -> None:
    form = {"file": (io.BytesIO(zip_bytes("1.png", "2.png")), "digits.zip"), "normalize": "none"}

    response = api.post("/api/v1/classifications", data=form)

    assert response.status_code == 202
    assert response.json["source"]["name"] == "digits.zip"
    assert response.json["parameters"].items() >= {"model": [model], "normalize": "none"}.items()
    assert response.json["progress"]["total"] == 2


@pytest.mark.parametrize("given", [["model-1,model-1"], ["model-1", "model-1"]], ids=["with commas", "repeated"])
@pytest.mark.parametrize("as_form", [True, False], ids=["form", "query"])
def test_several_models_are_named_with_commas_or_one_after_the_other(
    api: FlaskClient, model: str, given: list[str], as_form: bool
) -> None:
    if as_form:
        form = {"file": (io.BytesIO(zip_bytes("1.png")), "digits.zip"), "model": given}
        response = api.post("/api/v1/classifications", data=form)
    else:
        query = [("model", name) for name in given]
        response = api.post("/api/v1/classifications", query_string=query, data=zip_bytes("1.png"))

    assert response.status_code == 202, response.json
    assert response.json["parameters"]["model"] == [model, model]


def test_a_classification_is_accepted_as_a_raw_body(api: FlaskClient, services: Services, model: str) -> None:
    content = zip_bytes("1.png")

    response = api.post("/api/v1/classifications?name=scans.zip", data=content, content_type="application/zip")

    assert response.status_code == 202
    assert response.json["source"]["name"] == "scans.zip"
    assert services.volume.archive(response.json["id"]).read_bytes() == content


@pytest.mark.parametrize("path", ["/api/v1/trainings", "/api/v1/classifications"])
def test_a_submission_repeated_with_its_key_is_the_same_job(api: FlaskClient, model: str, path: str) -> None:
    def submit() -> str:
        headers = {"Idempotency-Key": "once"}
        if path.endswith("trainings"):
            response = api.post(path, json={"recipe": "dropout-128"}, headers=headers)
        else:
            response = api.post(path, data=zip_bytes("1.png"), content_type="application/zip", headers=headers)
        assert response.status_code == 202
        return str(response.json["id"])

    assert submit() == submit()
    assert len(api.get("/api/v1/jobs").json["items"]) == 1


def test_jobs_are_listed_by_cursor(api: FlaskClient) -> None:
    ids = [train(api)["id"] for _ in range(5)]

    first = api.get("/api/v1/jobs?limit=2&kind=training").json
    second = api.get(first["next"]).json
    third = api.get(second["next"]).json

    assert [job["id"] for page in (first, second, third) for job in page["items"]] == ids[::-1]
    assert third["next"] is None


def test_an_unchanged_job_answers_304_and_a_changed_one_does_not(api: FlaskClient) -> None:
    address = train(api)["links"]["self"]
    etag = api.get(address).headers["ETag"]

    assert api.get(address, headers={"If-None-Match": etag}).status_code == 304
    api.post(f"{address}/cancel")
    assert api.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_a_poll_says_when_to_come_back_until_the_job_has_ended(api: FlaskClient) -> None:
    address = train(api)["links"]["self"]

    assert api.get(address).headers["Retry-After"] == "2"
    api.post(f"{address}/cancel")
    assert "Retry-After" not in api.get(address).headers


def test_a_waiting_poll_is_answered_when_the_job_changes(api: FlaskClient, services: Services) -> None:
    job = train(api)
    etag = api.get(job["links"]["self"]).headers["ETag"]
    waiting = threading.Event()
    answers: list[Any] = []

    def poll() -> None:
        waiting.set()
        answers.append(api.get(job["links"]["self"] + "?wait=3600", headers={"If-None-Match": etag}))

    thread = threading.Thread(target=poll)
    thread.start()
    waiting.wait()
    services.jobs.cancel(job["id"])
    thread.join(PATIENCE_SECONDS)

    assert answers[0].status_code == 200
    assert answers[0].json["state"] == "cancelled"


def test_live_figures_show_while_a_step_runs(api: FlaskClient, services: Services) -> None:
    job = train(api)
    [step] = services.jobs.queued_steps(job["id"])
    services.leases.claim(step, "worker")
    services.live.publish(job["id"], step, 0.5, {"epoch": 1, "loss": 0.3})

    progress = api.get(job["links"]["self"]).json["progress"]

    assert progress["fraction"] == 0.05
    assert progress["detail"] == {"epoch": 1, "loss": 0.3}


def test_a_job_is_cancelled_retried_and_deleted(api: FlaskClient, services: Services) -> None:
    job = train(api)
    address = job["links"]["self"]

    assert api.delete(address).status_code == 409
    assert api.post(f"{address}/cancel").json["state"] == "cancelled"
    assert api.post(f"{address}/cancel").status_code == 409
    assert api.post(f"{address}/retry").status_code == 202
    assert api.post(f"{address}/retry").status_code == 409
    api.post(f"{address}/cancel")
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    assert not services.volume.job(job["id"]).exists()


def test_files_are_listed_and_fetched_whole_and_in_part(api: FlaskClient, model: str) -> None:
    [file] = api.get(f"/api/v1/models/{model}/files").json["items"]
    assert file["name"] == "model.keras"
    assert file["bytes"] == 10

    assert api.get(file["href"]).data == b"0123456789"
    part = api.get(file["href"], headers={"Range": "bytes=2-4"})
    assert part.status_code == 206
    assert part.data == b"234"


def test_an_upload_is_never_shown_as_a_page(api: FlaskClient, services: Services) -> None:
    job = train(api)
    (services.volume.job(job["id"]) / "page.html").write_text("<script>alert(1)</script>")

    response = api.get(f"{job['links']['files']}/page.html")

    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.content_type == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["../../tenfold.db", "..%2f..%2ftenfold.db", "work", "no-such-file"])
def test_only_what_is_listed_can_be_fetched(api: FlaskClient, name: str) -> None:
    job = train(api)

    assert api.get(f"{job['links']['files']}/{name}").status_code == 404


def test_the_recipes_are_listed_with_their_plans_and_parameters(api: FlaskClient) -> None:
    recipes = {recipe["name"]: recipe for recipe in api.get("/api/v1/recipes").json["items"]}

    published = [name for name, recipe in recipes.items() if recipe["origin"] == "source"]
    assert published == ["sigmoid-100", "rmsprop-512", "dropout-128", "dropout-128-32", "dense-128-64"]
    assert recipes["dense-128-64"]["parameters"] == 109_386
    assert recipes["dense-128-64"]["plan"]["units"] == [128, 64]


def test_without_redis_jobs_are_taken_and_polled_all_the_same(tmp_path: Path) -> None:
    settings = WebSettings(data=tmp_path / "data", redis_url="redis://127.0.0.1:1/0")
    api = create_app(settings).test_client()

    job = train(api)

    assert api.get(job["links"]["self"]).json["state"] == "queued"
    ready = api.get("/api/v1/readyz")
    assert ready.status_code == 200
    assert "unavailable" in ready.json["checks"]["redis"]


def test_health_and_readiness(api: FlaskClient, services: Services) -> None:
    assert api.get("/api/v1/healthz").json == {"status": "ok"}
    ready = api.get("/api/v1/readyz")
    assert ready.status_code == 200
    checks = ready.json["checks"]
    assert (checks["database"], checks["volume"], checks["redis"]) == ("ok", "ok", "ok")
    assert "unavailable" in checks["predictor"]

    services.volume.uploads.rmdir()
    assert api.get("/api/v1/readyz").status_code == 503


def test_a_page_of_another_site_can_submit_nothing(api: FlaskClient, services: Services) -> None:
    response = api.post(
        "/api/v1/trainings", json={"recipe": "dropout-128"}, headers={"Origin": "https://elsewhere.example"}
    )

    assert response.status_code == 403
    assert services.queue.waiting(JobKind.TRAINING) == 0
