"""A job's page without JavaScript: while it waits, while it runs, and however it ended."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tenfold.durations import about
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.web.pages.jobs.log_tail import LogTail, log_tail
from tenfold.worker.classification.accepted_errors import accepted_error
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tests.conftest import write_dataset
from tests.reviews import work_off


@pytest.fixture
def trained(services: Services, mnist: Dataset) -> Job:
    """A training of two epochs on a thousand digits, at its end."""
    write_dataset(mnist.head(train=1000, test=200), services.volume.datasets / "tiny")
    given = TrainingParameters(recipe="custom", dataset="tiny", units="16", epochs=2, validation="split")
    return work_off(services, submit_training(services, given))


def begun(api: FlaskClient, services: Services, **changes: Any) -> str:
    """A training as its row is after three of its epochs."""
    job_id: str = api.post("/api/v1/trainings", json={"recipe": "dropout-128", "epochs": 9}).json["id"]
    history = [
        {"epoch": epoch, "loss": 1 / epoch, "accuracy": 1 - 0.1 / epoch, "val_loss": None, "val_accuracy": None}
        | {"seconds": 20.0}
        for epoch in (1, 2, 3)
    ]
    values = {"state": JobState.RUNNING, "started_at": 1.0, "done": 3, "detail": {"history": history}} | changes
    with services.database.write() as session:
        job = session.get_one(Job, job_id)
        for name, value in values.items():
            setattr(job, name, value)
    return job_id


def test_a_job_in_line_says_so_and_keeps_the_place_of_its_curves(api: FlaskClient) -> None:
    job_id = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json["id"]

    page = api.get(f"/jobs/{job_id}").text

    assert "the next free worker takes this job" in page
    assert "is plotted after the first epoch" in page
    assert "Clone and edit" in page


def test_a_running_training_shows_its_curves_and_how_long_it_will_take(api: FlaskClient, services: Services) -> None:
    job_id = begun(api, services)

    page = api.get(f"/jobs/{job_id}").text

    assert "about 2 min left" in page
    assert "Training, epoch 3: 96.67 %" in page
    assert 'http-equiv="refresh"' in page
    assert api.get(f"/api/v1/jobs/{job_id}").json["progress"]["eta_seconds"] == 120


def test_what_is_refreshed_is_part_of_the_page(api: FlaskClient, services: Services) -> None:
    job_id = begun(api, services)
    services.volume.log(job_id).write_text("12:00 epoch 3 of 9\n")

    page, part = api.get(f"/jobs/{job_id}").text, api.get(f"/jobs/{job_id}/live").text

    for name in ("state", "progress", "curves", "log"):
        assert page.count(f'id="{name}"') == part.count(f'id="{name}"') == 1
    assert "epoch 3 of 9" in part
    assert "<html" not in part
    assert api.get("/jobs/nosuch/live").status_code == 404


def test_an_unchanged_job_has_an_unchanged_estimate(api: FlaskClient, services: Services) -> None:
    job_id = begun(api, services)
    etag = api.get(f"/api/v1/jobs/{job_id}").headers["ETag"]

    assert api.get(f"/api/v1/jobs/{job_id}", headers={"If-None-Match": etag}).status_code == 304


def test_a_finished_training_is_a_report_with_the_outcome_first(
    api: FlaskClient, services: Services, trained: Job
) -> None:
    assert trained.summary
    page = api.get(f"/jobs/{trained.id}").text

    accuracy = f"{trained.summary['test_accuracy'] * 100:.2f}\xa0%"
    order = [
        "Test accuracy",
        accuracy,
        "Learning curves",
        "Most frequent mistakes",
        "Layers",
        "Plots and images",
        "Files",
    ]
    assert [page.index(text) for text in order] == sorted(page.index(text) for text in order)
    wrong = round((1 - trained.summary["test_accuracy"]) * 200)
    assert f"{wrong} of 200 wrong" in page
    assert "Test (final), epoch 2" in page
    assert "Total params" in page
    assert "(recipe: 128)" in page
    assert "confusion.png" in page
    assert '<img class="figure-img img-fluid rounded border bg-white" src="' in page
    assert 'curves.png" alt' not in page


def test_the_report_of_a_model_that_is_gone_still_says_how_it_went(api: FlaskClient, services: Services) -> None:
    figures = {"test_accuracy": 0.98, "test_loss": 0.07, "train_accuracy": 0.99, "val_accuracy": None}
    summary = {"model": "gone", "parameters": 101_770, "seconds": 12.0} | figures
    job_id = begun(api, services, state=JobState.SUCCEEDED, finished_at=2.0, summary=summary)

    page = api.get(f"/jobs/{job_id}").text

    assert "98.00\xa0%" in page
    assert "Test (final), epoch 3" in page


def test_a_failed_training_says_why_and_what_to_do(api: FlaskClient, services: Services) -> None:
    job_id = begun(api, services, state=JobState.FAILED, finished_at=2.0, error="The loss became nan in epoch 4.")

    page = api.get(f"/jobs/{job_id}").text

    assert "The loss became nan in epoch 4." in page
    assert "starts over with other values" in page
    assert "Training, epoch 3" in page
    assert "/train?recipe=dropout-128" in page


def test_a_cancelled_training_says_how_far_it_came(api: FlaskClient, services: Services) -> None:
    job_id = begun(api, services)
    services.jobs.cancel(job_id)

    page = api.get(f"/jobs/{job_id}").text

    assert "Cancelled after 3 of 9 epochs" in page
    assert "Retry" in page


def test_again_with_changes_brings_the_form_as_it_was_filled_in(api: FlaskClient, services: Services) -> None:
    job_id = api.post("/api/v1/trainings", json={"recipe": "dropout-128", "units": [64], "epochs": 4}).json["id"]
    page = api.get(f"/jobs/{job_id}").text
    address = next(part for part in page.split('"') if part.startswith("/train?")).replace("&amp;", "&")

    form = api.get(address).text

    assert 'value="64"' in form
    assert 'value="4"' in form


def test_the_end_of_a_log_is_read_whatever_its_length(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    assert log_tail(path) is None

    path.write_text("one\ntwo – zwei\n")
    assert log_tail(path) == LogTail("one\ntwo – zwei", cut=False)

    path.write_text("".join(f"line {number}\n" for number in range(1000)))
    assert log_tail(path, lines=3) == LogTail("line 997\nline 998\nline 999", cut=True)

    path.write_bytes("–".encode() * 1000 + b"\nlast\n")
    assert log_tail(path, max_bytes=100) == LogTail("last", cut=True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4, "a few seconds"), (42, "about 40 s"), (200, "about 3 min"), (7800, "about 2 h 10 min"), (7200, "about 2 h")],
)
def test_a_length_of_time_is_told_as_roughly_as_it_is_known(seconds: float, words: str) -> None:
    assert about(seconds) == words


def test_a_classification_says_first_that_too_many_accepted_answers_are_wrong_and_what_was_skipped(
    api: FlaskClient, services: Services, model: str
) -> None:
    summary = {
        **{"images": 500, "errors": 0, "accuracy": 0.92, "labeled": 500, "accuracy_interval": [0.89, 0.94]},
        **{"mean_confidence": 0.99, "seconds": 3.0, "counts": {}, "accepted": 478, "to_review": 22},
        "accepted_error": accepted_error(478, 35, ClassificationParameters()),
        "notes": ["Skipped archives: 1 (<inside>.zip)."],
    }
    job_id = begun(
        api,
        services,
        **{"kind": JobKind.CLASSIFICATION, "parameters": {"model": [model]}, "state": JobState.SUCCEEDED},
        **{"finished_at": 2.0, "summary": summary},
    )

    page = api.get(f"/jobs/{job_id}").text

    red = page.index('class="alert alert-danger text-break" role="alert"')
    assert "7.3 % of the accepted answers with a known true label are wrong (35 of 478)" in page[red : red + 400]
    assert red < page.index("Skipped archives: 1 (&lt;inside&gt;.zip).") < page.index("Mean confidence")
    document = api.get(f"/api/v1/jobs/{job_id}").json["summary"]
    assert document["notes"] == summary["notes"]
    assert document["accepted_error"]["significant"]
