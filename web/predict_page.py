"""The page where a person draws or uploads one digit and sees how each model reads it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from web.forms import Choice, form_fields, given_fields
from web.model_choices import SEARCH, offer_models
from web.predicting import predict, take_image
from web.problems import RETRY_AFTER_SECONDS, field_errors
from web.qualities import QUALITIES
from web.services import services
from worker.errors import InvalidSubmission, PredictionFailed, PredictorAway, UnknownModel
from worker.leaderboard import newest_models
from worker.parameters import PredictionParameters
from worker.records import Model

predict_page = Blueprint("predict", __name__)

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response

# The predictor keeps eight models warm: the one that answers first, and as many others.
MOST_COMPARED = 7

# Of those offered, the newest that are asked unless a person says otherwise.
COMPARED_AT_FIRST = 3

# The field of the form that names the other models. What does not ask for any sends none.
COMPARED = "compare"


@predict_page.get("/predict")
def form() -> Page:
    return _page(request.args)


@predict_page.post("/predict")
def answer() -> Page:
    """The page with the answer; `static/predict.js` takes only that out of it."""
    try:
        image = take_image()
        parameters = _parameters()
        answer = predict(parameters, image)
        others = _ask_others(parameters, image, besides=answer["model"])
        return _page(request.form, answer=answer, others=others)
    except (ValidationError, InvalidSubmission) as error:
        return _page(request.form, errors=field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    except RequestEntityTooLarge as error:
        errors = [{"field": "file", "message": error.description or ""}]
        return _page({}, errors=errors), HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    except PredictorAway as error:
        errors = [{"field": "", "message": str(error)}]
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return _page(request.form, errors=errors), HTTPStatus.SERVICE_UNAVAILABLE, headers


@predict_page.post("/predict/models")
def answers_of_others() -> str:
    """Only what the other models say, for `static/predict.js`: the first answer never waits for them."""
    image = take_image()
    parameters = _parameters()
    first = services().models.serving(parameters.model).id
    return render_template("_model_answers.html", others=_ask_others(parameters, image, besides=first))


def _parameters() -> PredictionParameters:
    given = {name: value for name, value in given_fields(request.form).items() if name != COMPARED}
    return PredictionParameters.model_validate(given | {"steps": True})


def _ask_others(parameters: PredictionParameters, image: bytes, *, besides: str) -> list[dict[str, Any]]:
    """What each of the models that the form names says of the image, one after the other; `error` is why not."""
    asked = dict.fromkeys(request.form.getlist(COMPARED))
    chosen = [model_id for model_id in asked if model_id != besides][:MOST_COMPARED]
    return [_ask_one(parameters, image, model) for model in map(_model, chosen) if model is not None]


def _model(model_id: str) -> Model | None:
    try:
        return services().models.get(model_id)
    except UnknownModel:
        return None


def _ask_one(parameters: PredictionParameters, image: bytes, model: Model) -> dict[str, Any]:
    said: dict[str, Any] = {"about": model, "href": url_for("pages.job", job_id=model.id)}
    try:
        return said | predict(parameters.model_copy(update={"model": model.id, "steps": False}), image)
    except (PredictionFailed, PredictorAway) as error:
        return said | {"error": str(error)}


def _page(
    values: Mapping[str, str],
    *,
    answer: dict[str, Any] | None = None,
    others: Sequence[dict[str, Any]] = (),
    errors: list[dict[str, str]] | None = None,
) -> str:
    asked_first = values.get("model", "")
    offer = offer_models(services(), search=values.get(SEARCH, ""), chosen=[asked_first] if asked_first else [])
    unnamed = "the default model" if offer.default else "choose a model: there is no default"
    choices = {"model": [Choice("", unnamed), *offer.choices]}
    fields = form_fields(PredictionParameters, choices=choices, values=values, errors=errors or ())
    newest = newest_models(services().database, trials=False, limit=MOST_COMPARED + 1)
    compared = [entry for entry in newest if entry.id != offer.default][:MOST_COMPARED]
    asked = request.form.getlist(COMPARED) if request.form else [entry.id for entry in compared[:COMPARED_AT_FIRST]]
    return render_template(
        "predict.html",
        # The page always shows the steps.
        options=[field for field in fields if field.name != "steps"],
        answer=answer,
        others=others,
        compared=compared,
        asked=asked,
        errors=errors,
        offer=offer,
        answered_by=_model(answer["model"]) if answer else None,
        qualities=QUALITIES,
    )
