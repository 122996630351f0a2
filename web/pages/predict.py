"""The page to draw or upload one digit and see the answers of several models."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from tenfold.trainer.errors import InputUnsupported
from tenfold.web.api.parts.predicting import predict, take_image
from tenfold.web.core.forms import Choice, form_fields, given_fields
from tenfold.web.core.problems import RETRY_AFTER_SECONDS, field_errors
from tenfold.web.core.qualities import QUALITIES
from tenfold.web.core.services import services
from tenfold.web.pages.parts.model_choices import SEARCH, ModelOffer, offer_models
from tenfold.worker.db.records import Model, input_of
from tenfold.worker.errors import InvalidSubmission, NoPredictor, PredictionFailed, PredictorAway, UnknownModel
from tenfold.worker.models.leaderboard import newest_models
from tenfold.worker.predictions.parameters import PredictionParameters

blueprint = Blueprint("predict", __name__)

# The predictor keeps eight models loaded: the one that answers first, and the others.
MAX_COMPARED = 7

# How many of the newest models are selected for comparison by default.
COMPARED_AT_FIRST = 3

# The form field with the IDs of the other models.
COMPARED = "compare"


@blueprint.get("/predict")
def form() -> ResponseReturnValue:
    return _page(request.args)


@blueprint.post("/predict")
def answer() -> ResponseReturnValue:
    """The page with the answer; `static/predict.js` takes only the answer out of it."""
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
        page = _page(request.form, errors=errors, starting=isinstance(error, NoPredictor))
        return page, HTTPStatus.SERVICE_UNAVAILABLE, headers


@blueprint.post("/predict/models")
def answers_of_others() -> str:
    """Only the answers of the other models, for `static/predict.js`: the first answer never waits for them."""
    image = take_image()
    parameters = _parameters()
    first = services().models.serving(parameters.model).id
    return render_template("predict/other_models.html", others=_ask_others(parameters, image, besides=first))


def _parameters() -> PredictionParameters:
    given = {name: value for name, value in given_fields(request.form).items() if name != COMPARED}
    return PredictionParameters.model_validate(given | {"steps": True})


def _ask_others(parameters: PredictionParameters, image: bytes, *, besides: str) -> list[dict[str, Any]]:
    """The answer of each selected model; `error` is the reason where there is none."""
    asked = dict.fromkeys(request.form.getlist(COMPARED))
    chosen = [model_id for model_id in asked if model_id != besides][:MAX_COMPARED]
    return [_ask_one(parameters, image, model) for model in map(_model, chosen) if model is not None]


def _model(model_id: str) -> Model | None:
    try:
        return services().models.get(model_id)
    except UnknownModel:
        return None


def _ask_one(parameters: PredictionParameters, image: bytes, model: Model) -> dict[str, Any]:
    about: dict[str, Any] = {"about": model, "href": url_for("models.show", model_id=model.id)}
    try:
        return about | predict(parameters.model_copy(update={"model": model.id, "steps": False}), image)
    except (PredictionFailed, PredictorAway) as error:
        return about | {"error": str(error)}


def _page(
    values: Mapping[str, str],
    *,
    answer: dict[str, Any] | None = None,
    others: Sequence[dict[str, Any]] = (),
    errors: list[dict[str, str]] | None = None,
    starting: bool = False,
) -> str:
    asked_first = values.get("model", "")
    offer = offer_models(services(), search=values.get(SEARCH, ""), chosen=[asked_first] if asked_first else [])
    values = {**values, "model": offer.chosen[0]} if asked_first else values
    unnamed = "The model in production" if offer.production else "Choose a model (none is in production)"
    choices = {"model": [Choice("", unnamed), *offer.choices]}
    fields = form_fields(PredictionParameters, choices=choices, values=values, errors=errors or ())
    newest = newest_models(services().database, trials=False, limit=MAX_COMPARED + 1)
    compared = [entry for entry in newest if entry.id != offer.production][:MAX_COMPARED]
    asked = request.form.getlist(COMPARED) if request.form else [entry.id for entry in compared[:COMPARED_AT_FIRST]]
    return render_template(
        "predict/page.html",
        # The page always shows the steps.
        options=[field for field in fields if field.name != "steps"],
        answer=answer,
        others=others,
        compared=compared,
        asked=asked,
        errors=errors,
        starting=starting,
        offer=offer,
        answered_by=_model(answer["model"]) if answer else None,
        qualities=QUALITIES,
        no_drawing=_no_drawing(offer),
    )


def _no_drawing(offer: ModelOffer) -> dict[str, str]:
    """Why a model takes no drawing, by its ID; that of the one in production by "" too."""
    found = {}
    for entry in offer.entries:
        try:
            takes = input_of(entry.dataset, entry.input)
        except InputUnsupported:  # said when the model is asked
            continue
        if takes.preprocessing != "digit":
            found[entry.id] = (
                f"This model takes pictures ({takes.size}): upload one. The drawing area is for digit models."
            )
    return found | ({"": found[offer.production]} if offer.production in found else {})
