"""Sweeps through the API and the pages; what a worker makes of them is in tests/worker/sweeps/test_step.py."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.services import Services

SPACE = {"dropout": [0, 0.2], "learning_rate": {"low": 0.001, "high": 0.01, "log": True}}


def submit(api: FlaskClient, **body: Any) -> Any:
    return api.post("/api/v1/sweeps", json={"recipe": "dropout-128", "space": SPACE} | body)


def test_a_sweep_is_queued_with_its_number_of_trials(api: FlaskClient) -> None:
    answer = submit(api, trials=7)

    assert answer.status_code == 202
    job = answer.json
    assert job["kind"] == "sweep"
    assert job["progress"] == {
        "done": 0,
        "total": 7,
        "unit": "trials",
        "fraction": 0,
        "eta_seconds": None,
        "detail": {},
    }
    assert answer.headers["Location"] == job["links"]["self"]


def test_the_notation_of_the_command_says_the_same_as_json(api: FlaskClient) -> None:
    typed = submit(api, space="dropout=0|0.2\nlearning_rate=log:0.001..0.01").json
    given = submit(api).json

    assert typed["parameters"]["space"] == given["parameters"]["space"]


def test_a_repeated_submission_is_the_same_sweep(api: FlaskClient) -> None:
    key = {"Idempotency-Key": "once"}

    first, second = (
        api.post("/api/v1/sweeps", json={"recipe": "cnn", "space": SPACE}, headers=key).json for _ in range(2)
    )

    assert first["id"] == second["id"]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"space": {}}, "space", "at least one"),
        ({"space": "dropout"}, "space", "is not name=values"),
        ({"space": {"color": [1]}}, "space", "'color' cannot be searched"),
        ({"space": {"dropout": [2]}}, "space", "dropout=2 is invalid"),
        ({"space": {"dropout": {"low": 0.5, "high": 0.1}}}, "space", "from a lower to a higher"),
        ({"space": {"learning_rate": {"low": 0, "high": 0.1, "log": True}}}, "space", "starts above 0"),
        ({"space": {"validation": ["test"]}}, "space", "cannot be searched"),
        ({"method": "grid"}, "", "a grid needs choices"),
        ({"trials": 0}, "trials", "greater than or equal to 1"),
        ({"dataset": "letters"}, "dataset", "letters"),
    ],
)
def test_a_bad_sweep_names_its_field(api: FlaskClient, body: dict[str, Any], field: str, message: str) -> None:
    answer = submit(api, **body)

    assert answer.status_code == 422
    [error] = answer.json["errors"]
    assert error["field"] == field
    assert message in error["message"]


def test_the_form_is_made_from_the_declaration_and_submits(api: FlaskClient) -> None:
    page = api.get("/sweep").text
    assert 'name="space"' in page
    assert 'name="label_smoothing"' in page

    answer = api.post("/sweep", data={"recipe": "dropout-128", "space": "dropout=0|0.3", "trials": "2", "epochs": ""})

    assert answer.status_code == 303
    assert "Sweep of dropout-128" in api.get(answer.headers["Location"]).text


def test_a_form_with_a_mistake_comes_back_with_what_was_entered(api: FlaskClient) -> None:
    answer = api.post("/sweep", data={"recipe": "dropout-128", "space": "dropout=5|6", "trials": "2"})

    assert answer.status_code == 422
    assert "dropout=5|6</textarea>" in answer.text
    assert "dropout=5 is invalid" in answer.text


def test_its_page_ranks_the_trials_and_offers_it_again(api: FlaskClient, services: Services) -> None:
    sweep = submit(api).json["id"]
    with services.database.write() as session:
        session.add_all([trial(sweep, 0, 0.91), trial(sweep, 1, 0.97), trial(sweep, 2, None)])

    page = api.get(f"/jobs/{sweep}").text

    assert page.index("0.9700") < page.index("0.9100") < page.index(f"{sweep[:20]}t2")
    assert [job["id"] for job in api.get(f"/api/v1/jobs?sweep={sweep}").json["items"]] == [
        f"{sweep[:20]}t{number}" for number in (2, 1, 0)
    ]
    assert f"{sweep[:20]}t0" not in api.get("/").text
    services.jobs.cancel(sweep)
    assert "/sweep?recipe=dropout-128" in api.get(f"/jobs/{sweep}").text


def trial(sweep: str, number: int, accuracy: float | None) -> Job:
    history = [] if accuracy is None else [{"val_accuracy": accuracy}]
    return Job(
        id=f"{sweep[:20]}t{number}",
        parent_id=sweep,
        kind=JobKind.TRAINING,
        state=JobState.QUEUED if accuracy is None else JobState.SUCCEEDED,
        parameters={},
        source={"trial": number, "values": {"dropout": "0", "learning_rate": 0.004}},
        fingerprint="any",
        created_at=1.0,
        done=0,
        total=1,
        detail={"history": history},
    )
