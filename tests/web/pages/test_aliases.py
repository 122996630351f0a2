"""The pages of aliases: a model is promoted, its history is shown, and a change is rolled back."""

import re

import pytest
from flask.testing import FlaskClient

from tenfold.worker.db.records import Model
from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services
from tests.web.people import HERE, add_person, sign_in


@pytest.fixture
def second(services: Services, model: str) -> str:
    """Another model; the first one is in production."""
    metrics = {"test_accuracy": 0.99, "parameter_count": 1}
    with services.database.write() as session:
        session.add(Model(id="model-2", recipe="cnn", dataset="mnist", parameters={}, metrics=metrics, created_at=2.0))
    return "model-2"


def test_a_model_is_promoted_on_its_page(api: FlaskClient, services: Services, second: str) -> None:
    given = {"alias": "production", "reason": "better"}
    assert api.post(f"/models/{second}/aliases", data=given).location == f"/models/{second}#aliases"

    assert services.models.serving(None).id == second
    assert "/aliases/production" in api.get(f"/models/{second}").text
    assert "/aliases/production" in api.get("/models").text
    assert "better" in api.get("/aliases").text
    assert api.get("/models/production").location == f"/models/{second}"


def test_the_history_is_shown_and_rolled_back(api: FlaskClient, services: Services, model: str, second: str) -> None:
    services.aliases.promote(second, who="anna", reason="better <on> scans")

    page = api.get("/aliases/production").text
    assert "by anna" in page
    assert "better &lt;on&gt; scans" in page
    assert page.count("Roll back to change") == 1

    assert api.post("/aliases/production/rollback", data={"to": "1"}).location == "/aliases/production"
    assert services.models.serving(None).id == model
    assert "rolled back to change 1" in api.get("/aliases/production").text


def test_a_removed_alias_keeps_its_page(api: FlaskClient, services: Services, model: str) -> None:
    assert api.post("/aliases/production/delete", data={"reason": "retired"}).location == "/aliases/production"

    page = api.get("/aliases/production").text
    assert "This alias was removed" in page
    assert "retired" in page
    assert "No aliases." in api.get("/aliases").text
    assert api.get("/aliases/never").status_code == 404


@pytest.mark.parametrize(
    ("path", "given", "said"),
    [
        ("/models/model-1/aliases", {"alias": "Best one", "reason": "why"}, "&#39;Best one&#39; cannot be an alias"),
        ("/models/model-1/aliases", {"alias": "best", "reason": "x" * 501}, "up to 500 characters"),
        ("/aliases/production/rollback", {"to": "9"}, "No change 9 let the alias production name a model"),
        ("/aliases/production/rollback", {}, "Give the number of a change"),
        ("/aliases/production/delete", {"reason": "x" * 501}, "up to 500 characters"),
    ],
)
def test_a_form_with_an_error_comes_back_with_the_message(
    api: FlaskClient, services: Services, model: str, path: str, given: dict[str, str], said: str
) -> None:
    response = api.post(path, data=given)

    assert response.status_code == 422
    alert = response.text.partition('role="alert"')[2].partition("</div>")[0]
    assert said in alert
    assert [alias.alias for alias in services.aliases.list()] == ["production"]


def test_what_was_typed_comes_back_with_the_error(api: FlaskClient, model: str) -> None:
    page = api.post("/models/model-1/aliases", data={"alias": "Best one", "reason": "fewer <errors>"}).text

    assert 'value="Best one"' in page
    assert 'value="fewer &lt;errors&gt;"' in page


@pytest.mark.parametrize("path", ["/aliases", "/aliases/production"])
def test_the_menu_shows_that_aliases_belong_to_models(api: FlaskClient, model: str, path: str) -> None:
    current = re.findall(r"aria-current=page>(.*?)<", api.get(path).text)

    assert current == ["Models"]


def test_who_may_not_change_aliases_is_offered_no_form(api: FlaskClient, services: Services, second: str) -> None:
    services.aliases.promote(second, who="anna")
    add_person(services, "anna", Scope.ADMIN)
    add_person(services, "bert", Scope.SUBMIT)
    browser = sign_in(api.application, "bert")

    assert "Roll back to change" not in browser.get("/aliases/production").text
    assert "<button" not in browser.get(f"/models/{second}").text.split('id="aliases"')[1].split("</section>")[0]
    assert browser.post(f"/models/{second}/aliases", data={"alias": "mine"}, headers=HERE).status_code == 403


@pytest.mark.parametrize("number", ["9" * 25, "-" + "9" * 25, "seven"])
def test_a_number_that_no_change_has_changes_nothing(
    api: FlaskClient, services: Services, model: str, number: str
) -> None:
    assert api.get(f"/aliases/production?cursor={number}").status_code == 200
    refused = api.post("/aliases/production/rollback", data={"to": number})

    assert refused.status_code == 422
    assert "Give the number of a change." in refused.text
    assert services.models.serving(None).id == model
