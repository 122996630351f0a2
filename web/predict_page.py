"""The page where a person tries one digit, drawn or uploaded, and sees how it is read."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from web.forms import Choice, form_fields, given_fields
from web.predicting import predict, take_image
from web.problems import RETRY_AFTER_SECONDS, field_errors
from web.qualities import QUALITIES
from web.services import services
from worker.errors import InvalidSubmission, PredictorAway
from worker.parameters import PredictionParameters

predict_page = Blueprint("predict", __name__)

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response


@predict_page.get("/predict")
def form() -> Page:
    return _page(request.args)


@predict_page.post("/predict")
def answer() -> Page:
    """The page with the answer; `static/predict.js` takes only that out of it."""
    try:
        image = take_image()
        parameters = PredictionParameters.model_validate(given_fields(request.form) | {"steps": True})
        return _page(request.form, answer=predict(parameters, image))
    except (ValidationError, InvalidSubmission) as error:
        return _page(request.form, errors=field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    except RequestEntityTooLarge as error:
        errors = [{"field": "file", "message": error.description or ""}]
        return _page({}, errors=errors), HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    except PredictorAway as error:
        errors = [{"field": "", "message": str(error)}]
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return _page(request.form, errors=errors), HTTPStatus.SERVICE_UNAVAILABLE, headers


def _page(
    values: Mapping[str, str],
    *,
    answer: dict[str, Any] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> str:
    found = services().models.list()
    offered = [Choice("", "the default model")]
    offered += [Choice(model.id, f"{model.recipe} on {model.dataset} ({model.id})") for model in found]
    fields = form_fields(PredictionParameters, choices={"model": offered}, values=values, errors=errors or ())
    # The page always shows the steps.
    options = [field for field in fields if field.name != "steps"]
    return render_template(
        "predict.html", options=options, answer=answer, errors=errors, has_model=bool(found), qualities=QUALITIES
    )
