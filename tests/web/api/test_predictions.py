"""Single images that are not answered: each refusal says why and what to do. No predictor is online here."""

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tenfold.web.core.services import EXTENSION
from tenfold.worker.predictions.queue import PREDICTOR, PREDICTOR_GONE_SECONDS, QUEUE
from tenfold.worker.services import Services
from tests.web.api.test_bad_input import assert_problem, nothing_left

PREDICTIONS = "/api/v1/predictions"


def send(api: FlaskClient, image: bytes = b"image", **parameters: Any) -> Any:
    return api.post(PREDICTIONS, data={"file": (io.BytesIO(image), "digit.png"), **parameters})


def test_without_a_predictor_the_answer_is_503_with_the_remedy(api: FlaskClient, model: str) -> None:
    response = send(api)

    assert_problem(response, 503, says="tenfold-predictor")
    assert int(response.headers["Retry-After"]) > 0


def test_a_predictor_that_does_not_answer_in_time_is_503_and_leaves_nothing_in_line(
    api: FlaskClient, services: Services, app: Flask, model: str
) -> None:
    hasty = services.settings.model_copy(update={"prediction_seconds": 0.05})
    app.extensions[EXTENSION] = Services.open(hasty)
    redis = services.queue._redis
    redis.set(PREDICTOR, "here", ex=PREDICTOR_GONE_SECONDS)

    assert_problem(send(api), 503, says="0.05 seconds")
    assert redis.exists(QUEUE) == 0
    assert redis.keys("tenfold:prediction:*") == []


def test_without_redis_the_answer_is_503(api: FlaskClient, services: Services, app: Flask, model: str) -> None:
    app.extensions[EXTENSION] = Services.open(
        services.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    )

    assert_problem(send(api), 503, says="Redis is unavailable")


def test_an_unknown_model_is_refused(api: FlaskClient, model: str) -> None:
    assert_problem(send(api, model="no-such"), 422, "model", "no model 'no-such'")


def test_without_any_model_the_remedy_is_named(api: FlaskClient) -> None:
    assert_problem(send(api), 422, "model", "train one first")


@pytest.mark.parametrize(("name", "value"), [("normalize", "often"), ("polarity", "sideways"), ("color", "red")])
def test_a_bad_parameter_names_its_field(api: FlaskClient, model: str, name: str, value: str) -> None:
    assert_problem(send(api, **{name: value}), 422, name)


def test_no_image_and_an_empty_one_are_refused(api: FlaskClient, model: str) -> None:
    assert_problem(api.post(PREDICTIONS, data={}, content_type="multipart/form-data"), 422, "file", "No file was sent")
    assert_problem(send(api, b""), 422, "file", "empty (0 bytes)")
    assert_problem(api.post(PREDICTIONS, data=b""), 422, "file", "empty (0 bytes)")


@pytest.mark.parametrize("more", [1, 100_000])
def test_too_large_an_image_is_refused_and_removed(
    api: FlaskClient, services: Services, app: Flask, model: str, more: int
) -> None:
    (services.volume.model(model) / "model.keras").unlink()
    small = services.settings.model_copy(update={"max_prediction_bytes": 1000})
    app.extensions[EXTENSION] = Services.open(small)

    assert_problem(send(api, bytes(1000 + more)), 413, says="the maximum is 1,000")
    assert_problem(api.post(PREDICTIONS, data=bytes(1000 + more)), 413, says="the maximum is 1,000")
    assert nothing_left(services)


def test_the_page_shows_the_reason_in_place(api: FlaskClient, model: str) -> None:
    response = api.post("/predict", data={"file": (io.BytesIO(b"image"), "digit.png")})

    assert response.status_code == 503
    assert "No predictor online" in response.text
    assert 'id="answer"' in response.text
