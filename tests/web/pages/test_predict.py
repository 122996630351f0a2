"""The page on which a digit is drawn, with a real predictor and a real browser. The networks were never trained."""

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.trainer.input_spec import InputSpec
from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.records import Model
from tenfold.worker.predictions.predictor import Predictor
from tenfold.worker.services import Services
from tests.reviews import digits, untrained_model
from tests.waiting import PATIENCE_SECONDS, until
from tests.web.browsing import browsing

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def app(tmp_path: Path, redis_url: str) -> Iterator[Flask]:
    """The application, which waits for an answer however busy the machine is."""
    app = create_app(WebSettings(data=tmp_path / "data", redis_url=redis_url, prediction_seconds=PATIENCE_SECONDS))
    yield app
    app.extensions[EXTENSION].database.close()


@pytest.fixture
def models(services: Services) -> list[str]:
    """Three models that are the same network under different names; the first is in production."""
    first = untrained_model(services)
    names = [first, "second", "third"]
    for number, name in enumerate(names[1:], start=2):
        services.volume.model(name).symlink_to(services.volume.model(first))
        with services.database.write() as session:
            session.add(
                Model(
                    id=name,
                    recipe=f"recipe-{name}",
                    dataset="mnist",
                    parameters={},
                    metrics={"class_names": list("0123456789"), "test_accuracy": 0.1, "parameter_count": 1},
                    created_at=float(number),
                )
            )
    return names


@pytest.fixture
def predictor(services: Services, models: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with predicting(services, monkeypatch):
        yield


@contextmanager
def predicting(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A predictor that answers from this process, and counts as running however long it loads a model."""
    monkeypatch.setattr("tenfold.worker.predictions.queue.PREDICTOR_GONE_SECONDS", PATIENCE_SECONDS)
    stopping = threading.Event()
    running = threading.Thread(target=Predictor(services).run, args=(stopping.is_set,))
    running.start()
    until(services.predictions.has_predictor)
    yield
    stopping.set()
    running.join()


def draw(page: Page) -> None:
    """A stroke from the top to the bottom of the paper."""
    box = page.get_by_label("Drawing area").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 220, steps=6)
    page.mouse.up()


def test_a_changed_alias_answers_from_the_next_image_on(
    app: Flask, services: Services, models: list[str], predictor: None, mnist: Dataset
) -> None:
    web, image = app.test_client(), png(mnist.test_images[0])
    for promoted in ("second", models[0], "third"):
        services.aliases.promote(promoted, who=None)
        services.aliases.promote(promoted, "candidate", who=None)

        for query in ("", "?model=candidate"):
            answer = web.post(f"/api/v1/predictions{query}", data=image, content_type="application/octet-stream")
            assert answer.json["model"] == promoted


def test_a_drawing_is_read_by_every_model(app: Flask, predictor: None) -> None:
    with browsing(app) as page:
        page.goto("/predict")
        draw(page)

        expect(page.locator("#label")).to_have_text(re.compile(r"^\d$"))
        expect(page.locator("#answer progress")).to_have_count(10)
        expect(page.get_by_role("img", name="The model input")).to_be_visible()
        expect(page.locator("#model-answers li")).to_have_count(2)
        expect(page.get_by_role("link", name="recipe-second")).to_be_visible()
        page.get_by_label("recipe-second").uncheck()
        expect(page.locator("#model-answers li")).to_have_count(1)


def test_a_drawing_waits_for_a_predictor_that_is_starting(
    app: Flask, services: Services, models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.web.pages.predict.RETRY_AFTER_SECONDS", 1)
    with browsing(app, refused={503}) as page:
        page.goto("/predict")
        draw(page)
        expect(page.locator("#answer")).to_have_text("The predictor is starting …")
        with predicting(services, monkeypatch):
            expect(page.locator("#label")).to_be_visible()
            expect(page.locator("#model-answers li")).to_have_count(2)


def test_a_drawing_waits_for_no_predictor_for_ever(
    app: Flask, models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.web.pages.predict.RETRY_AFTER_SECONDS", 0.01)
    with browsing(app, refused={503}) as page:
        page.goto("/predict")
        draw(page)

        expect(page.locator("#answer")).to_contain_text("No predictor online, or it is still starting.")
        expect(page.get_by_text("The predictor is starting …")).to_have_count(0)


def test_strokes_are_taken_back_and_examples_drawn(app: Flask, predictor: None) -> None:
    with browsing(app, viewport=PHONE) as page:
        page.goto("/predict")
        expect(page.get_by_role("button", name="Undo")).to_be_disabled()
        blank = page.evaluate("document.getElementById('paper').toDataURL()")
        draw(page)
        expect(page.locator("#label")).to_be_visible()
        page.get_by_role("button", name="Draw the digit 8").click()
        expect(page.locator("#label")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_role("button", name="Undo").click()

        expect(page.get_by_role("button", name="Undo")).to_be_disabled()
        expect(page.locator("#label")).to_have_count(0)
        assert page.evaluate("document.getElementById('paper').toDataURL()") == blank


def test_a_finger_draws_and_does_not_scroll(app: Flask, predictor: None) -> None:
    with browsing(app, viewport=PHONE, has_touch=True, color_scheme="dark") as page:
        page.goto("/predict")
        box = page.get_by_label("Drawing area").bounding_box()
        assert box is not None
        touch = page.context.new_cdp_session(page)
        at = {"x": box["x"] + 100, "y": box["y"] + 40}
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        for step in range(1, 10):
            moved = {"x": at["x"], "y": at["y"] + 18 * step}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [moved]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

        expect(page.locator("#label")).to_be_visible()
        assert page.evaluate("scrollY") == 0


def test_the_keyboard_draws_too(app: Flask, predictor: None) -> None:
    with browsing(app) as page:
        page.goto("/predict")
        page.get_by_label("Drawing area").focus()
        for _ in range(10):
            page.keyboard.press("ArrowDown")
        expect(page.locator("#label")).to_be_visible()
        page.keyboard.press("Control+z")

        expect(page.get_by_role("button", name="Clear")).to_be_disabled()


def test_without_javascript_the_form_answers_for_all_models(api: FlaskClient, predictor: None, mnist: Dataset) -> None:
    [image] = digits(mnist, 1).values()
    compared = ["second", "third", "nosuch"]
    html = api.post("/predict", data={"file": (io.BytesIO(image), "7.png"), "compare": compared}).text

    assert 'id="label"' in html
    answers = html.partition('id="model-answers"')[2]
    assert answers.count("<li>") == 2
    assert "recipe-second" in answers


def test_the_other_models_are_asked_by_themselves(api: FlaskClient, models: list[str]) -> None:
    response = api.post("/predict/models", data={"compare": ["second"]}, content_type="multipart/form-data")

    assert response.status_code == 422


def test_a_model_of_photos_takes_pictures_only(app: Flask, services: Services, models: list[str]) -> None:
    """It is never asked, so it needs no network."""
    spec = InputSpec("resize", 32, 32, 3)
    metrics = {"class_names": ["cat", "dog"], "test_accuracy": 0.9, "input": spec.as_dict()}
    with services.database.write() as session:
        session.add(Model(id="photos", recipe="cnn", dataset="pets", parameters={}, metrics=metrics, created_at=9.0))
    with browsing(app) as page:
        page.goto("/predict?model=photos")
        expect(page.get_by_text("This model takes pictures (32×32 color): upload one.")).to_be_visible()
        expect(page.get_by_label("Drawing area")).to_be_hidden()
        page.get_by_text("Options").click()
        page.get_by_label("Model", exact=True).select_option("second")

        expect(page.get_by_label("Drawing area")).to_be_visible()
        expect(page.get_by_text("This model takes pictures")).to_be_hidden()
