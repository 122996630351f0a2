"""Aliases by the API: whatever takes the id of a model takes an alias, and who may change one."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.db.records import Model
from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.reviews import digits, untrained_model
from tests.uploads import zipped
from tests.web.people import add_person

PRODUCTION = "/api/v1/aliases/production"


@pytest.fixture
def second(services: Services, model: str) -> str:
    """Another model; the first one is in production."""
    with services.database.write() as session:
        session.add(Model(id="model-2", recipe="cnn", dataset="mnist", parameters={}, metrics={}, created_at=2.0))
    return "model-2"


def test_a_model_is_promoted_its_history_read_and_rolled_back(api: FlaskClient, model: str, second: str) -> None:
    put = api.put(PRODUCTION, json={"model": second, "reason": "better"})
    assert (put.json["model"], put.json["version"], put.json["reason"]) == (second, 2, "better")
    assert api.get(f"/api/v1/models/{second}").json["aliases"] == ["production"]

    back = api.post(f"{PRODUCTION}/changes", json={"reason": "worse"})

    assert (back.json["previous"], back.json["model"], back.json["restores"]) == (second, model, 1)
    first_page = api.get(f"{PRODUCTION}/changes?limit=2").json
    assert [change["number"] for change in first_page["items"]] == [3, 2]
    assert [change["number"] for change in api.get(first_page["next"]).json["items"]] == [1]
    assert api.get(PRODUCTION).json["model"] == model


def test_a_model_gets_an_alias_at_its_own_address(api: FlaskClient, model: str) -> None:
    promoted = api.post(f"/api/v1/models/{model}/aliases", json={"alias": "candidate"})

    assert promoted.json["name"] == "candidate"
    for address in (f"/api/v1/models/{model}/aliases", "/api/v1/models/candidate/aliases", "/api/v1/aliases"):
        assert [alias["name"] for alias in api.get(address).json["items"]] == ["candidate", "production"]


@pytest.mark.parametrize(
    ("ask", "status", "says"),
    [
        (lambda api: api.put("/api/v1/aliases/Best", json={"model": "model-1"}), 422, "'Best' cannot be an alias"),
        (lambda api: api.put(PRODUCTION, json={"model": "nosuch"}), 422, "no model 'nosuch'"),
        (lambda api: api.put(PRODUCTION, json={"model": "model-1", "reason": "a\nb"}), 422, "one line"),
        (
            lambda api: api.post("/api/v1/models/model-1/aliases", json={"alias": "1st"}),
            422,
            "'1st' cannot be an alias",
        ),
        (lambda api: api.post("/api/v1/models/nosuch/aliases", json={}), 404, "no model"),
        (lambda api: api.get("/api/v1/aliases/nosuch"), 404, "no alias 'nosuch'"),
        (lambda api: api.delete("/api/v1/aliases/nosuch"), 404, "no alias 'nosuch'"),
        (lambda api: api.post(f"{PRODUCTION}/changes", json={}), 409, "nothing to roll back"),
        (lambda api: api.post(f"{PRODUCTION}/changes", json={"to": 7}), 422, "No change 7"),
        (lambda api: api.get(f"{PRODUCTION}/changes?cursor=x"), 422, "cursor"),
    ],
)
def test_a_refusal_says_what_was_wrong(
    ask: Callable[[FlaskClient], Any], status: int, says: str, api: FlaskClient, model: str
) -> None:
    refused = ask(api)

    assert (refused.status_code, refused.content_type) == (status, "application/problem+json")
    assert says in refused.json["detail"]
    assert [alias["name"] for alias in api.get("/api/v1/aliases").json["items"]] == ["production"]


def test_the_files_of_a_model_are_listed_and_fetched_by_alias(api: FlaskClient, model: str) -> None:
    [file] = api.get("/api/v1/models/production/files").json["items"]

    assert file["href"] == f"/api/v1/models/{model}/files/model.keras"
    assert api.get("/api/v1/models/production/files/model.keras").data == b"0123456789"


def test_a_classification_records_the_model_that_an_alias_named(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    model = untrained_model(services)

    def submitted(**fields: str) -> Any:
        file = {"file": (io.BytesIO(zipped(digits(mnist, 2))), "digits.zip")}
        return api.post("/api/v1/classifications", data={**file, **fields}).json

    by_alias, by_id, by_none = submitted(model="production"), submitted(model=model), submitted()

    assert [job["parameters"]["model"] for job in (by_alias, by_id, by_none)] == [[model]] * 3
    assert by_alias["source"]["aliases"] == by_none["source"]["aliases"] == {"production": model}
    assert "aliases" not in by_id["source"]
    assert f"production → {model}" in api.get(f"/jobs/{by_alias['id']}").text


def test_a_training_from_an_alias_records_the_model_that_it_named(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    write_dataset(mnist.head(train=100, test=20), services.volume.datasets / "tiny")
    model = untrained_model(services)

    job = api.post("/api/v1/trainings", json={"from_model": "production", "dataset": "tiny"}).json

    assert job["parameters"]["from_model"] == model
    assert job["source"]["aliases"] == {"production": model}


def test_only_administrators_change_aliases_and_the_history_names_them(
    api: FlaskClient, services: Services, model: str, second: str
) -> None:
    anna, bert = (add_person(services, name, scope) for name, scope in (("anna", Scope.ADMIN), ("bert", Scope.SUBMIT)))
    wanted = {"model": second, "reason": "better"}

    refused = api.put(PRODUCTION, json=wanted, headers=bert.headers)
    assert (refused.status_code, refused.json["code"]) == (403, "insufficient_scope")
    assert api.put(PRODUCTION, json=wanted, headers=anna.headers).json["changed_by"] == "anna"
    assert api.get(f"{PRODUCTION}/changes", headers=bert.headers).json["items"][0]["changed_by"] == "anna"
