"""Thousands of models: pages stay small, ask the database little, and have all models found."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from sqlalchemy import event, insert

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.web.pages.parts.model_choices import MAX_OFFERED
from tenfold.worker.db.records import Model
from tenfold.worker.models.registry import MAX_WORDS
from tenfold.worker.services import Services
from tests.web.browsing import browsing

MANY = 3000
PARAMETERS = TrainingParameters(recipe="dropout-128").resolved().model_dump(mode="json")

# As much as that of a trained model, whose calibration has hundreds of numbers.
METRICS = {
    "test_accuracy": 0.975,
    "seconds": 7.5,
    "parameter_count": 101_770,
    "calibration": {"bins": [0.123456789] * 500},
}


def model_id(number: int) -> str:
    return f"model-{number:04}"


@pytest.fixture
def many(services: Services) -> None:
    """Models of two recipes on two data sets, every tenth the trial of a sweep; one on a data set of its own."""
    rows = [
        {
            "id": model_id(number),
            "recipe": ("dropout-128", "cnn")[number % 2],
            "dataset": "unusual_set" if number == 17 else ("mnist", "letters")[number // 2 % 2],
            "parameters": PARAMETERS,
            "metrics": METRICS,
            "created_at": float(number),
            "trial": number % 10 == 9,
        }
        for number in range(MANY)
    ]
    with services.database.write() as session:
        session.execute(insert(Model), rows)
    services.aliases.promote(model_id(MANY - 2), who=None)


@dataclass
class Work:
    """What the database was asked for: queries, and models loaded with all that their rows hold."""

    queries: int = 0
    models: int = 0


@contextmanager
def counting(services: Services) -> Iterator[Work]:
    work = Work()

    def query(*_: object) -> None:
        work.queries += 1

    def load(*_: object) -> None:
        work.models += 1

    event.listen(services.database.engine, "before_cursor_execute", query)
    event.listen(Model, "load", load)
    try:
        yield work
    finally:
        event.remove(services.database.engine, "before_cursor_execute", query)
        event.remove(Model, "load", load)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("address", "kilobytes", "queries", "models"),
    [
        ("/classify", 30, 10, 3),
        ("/classify?models=cnn", 30, 10, 3),
        ("/predict", 30, 10, 2),
        ("/predict?models=cnn", 30, 10, 2),
        ("/train", 90, 16, 0),
        ("/train?check=&recipe=cnn", 60, 4, 0),
        ("/compare", 60, 8, 0),
        ("/compare?search=unusual", 60, 8, 0),
        ("/models", 60, 8, 26),
        ("/api/v1/models?limit=2", 30, 8, 4),
    ],
)
def test_pages_are_bounded(
    address: str, kilobytes: int, queries: int, models: int, api: FlaskClient, services: Services
) -> None:
    with counting(services) as work:
        page = api.get(address)

    assert page.status_code == 200
    assert len(page.data) < kilobytes * 1000
    assert work.queries <= queries
    assert work.models <= models


@pytest.mark.usefixtures("many")
def test_what_is_asked_while_one_types_is_less_than_the_page(api: FlaskClient, services: Services) -> None:
    with counting(services) as whole:
        page = api.get("/train?recipe=cnn&epochs=3").text
    with counting(services) as check:
        checked = api.get("/train?recipe=cnn&epochs=3&check=").text

    assert check.queries < whole.queries
    assert outcome(checked) == outcome(page)
    assert len(checked) < len(page) / 2


def outcome(page: str) -> str:
    return page.split('id="outcome"')[1].split("<button")[0]


def offered(page: str) -> list[str]:
    return re.findall(r'value="(model-\d+)"', page.split('id="model-choices"')[1].split("</fieldset>")[0])


@pytest.mark.usefixtures("many")
def test_the_one_in_production_and_the_newest_are_offered_and_a_search_finds_all_others(
    api: FlaskClient, services: Services
) -> None:
    services.aliases.promote(model_id(5), who=None)

    first = offered(api.get("/classify").text)
    assert first[:3] == [model_id(5), model_id(MANY - 2), model_id(MANY - 3)]
    assert len(first) == MAX_OFFERED
    assert offered(api.get("/classify?models=unusual").text) == [model_id(17)]
    assert offered(api.get("/classify?models=UNUSUAL+cnn").text) == [model_id(17)]
    assert offered(api.get("/classify?models=model-0009").text) == [model_id(9)]
    assert offered(api.get("/classify?models=unusual&model=model-0001,model-0002").text) == [
        model_id(1),
        model_id(2),
        model_id(17),
    ]
    nothing = api.get("/classify?models=nosuch").text
    assert "No matching models." in nothing
    assert offered(nothing) == []


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("search", ["%", "_", "unusual%", "\\", "' OR 1=1 --", "x " * 500])
def test_a_search_is_of_letters_and_not_of_patterns(search: str, api: FlaskClient) -> None:
    found = api.get("/api/v1/models", query_string={"search": search[:200], "limit": 2}).json["items"]

    assert [model["id"] for model in found] == ([model_id(17)] if search == "_" else [])
    assert api.get("/classify", query_string={"models": search}).status_code == 200
    assert MAX_WORDS < 100


@pytest.mark.usefixtures("many")
def test_the_api_has_what_a_search_finds_page_by_page(api: FlaskClient) -> None:
    first = api.get("/api/v1/models?search=cnn+mnist&limit=400").json
    second = api.get(first["next"]).json

    assert (len(first["items"]), len(second["items"]), second["next"]) == (400, 349, None)
    assert {model["recipe"] for model in first["items"] + second["items"]} == {"cnn"}


PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
SCREEN = {"viewport": {"width": 1440, "height": 900}}


def has_no_scroll_bar(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("device", [PHONE, SCREEN], ids=["phone", "screen"])
def test_models_are_found_by_keyboard_and_what_is_chosen_stays(device: dict[str, object], app: Flask) -> None:
    with browsing(app, **device) as page:
        page.goto("/classify")
        chosen = page.get_by_label(f"({model_id(MANY - 3)})")
        chosen.focus()
        page.keyboard.press("Space")
        page.get_by_label("Find a model").focus()
        page.keyboard.type("unusual")
        expect(page.get_by_role("status").filter(has_text="1 found.")).to_be_visible()
        expect(chosen).to_be_checked()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")

        expect(page.get_by_label(f"({model_id(17)})")).to_be_checked()
        assert page.url.endswith("/classify")
        assert has_no_scroll_bar(page)
        page.get_by_label("Find a model").fill("cnn")
        expect(page.get_by_text("Search to find others")).to_be_visible()
        expect(page.get_by_label(f"({model_id(17)})")).to_be_checked()


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("device", [PHONE, SCREEN], ids=["phone", "screen"])
def test_a_model_is_found_to_draw_for(device: dict[str, object], app: Flask) -> None:
    with browsing(app, **device) as page:
        page.goto("/predict")
        page.get_by_text("Options").click()
        page.get_by_label("Find a model").fill("unusual")
        expect(page.get_by_role("status").filter(has_text="1 found.")).to_be_visible()
        page.get_by_label("Model", exact=True).select_option(model_id(17))
        page.get_by_label("Find a model").fill("letters")
        expect(page.get_by_text("Search to find others")).to_be_visible()

        expect(page.get_by_label("Model", exact=True)).to_have_value(model_id(17))
        assert has_no_scroll_bar(page)
