"""The page that submits images to classify. `static/upload.js` shows the progress of the upload."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.web.core.forms import Choice, form_fields, given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services, settings
from tenfold.web.core.uploads import take_images
from tenfold.web.pages.parts.model_choices import SEARCH, offer_models
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.classification.thresholds import why_all_are_reviewed
from tenfold.worker.db.records import Model
from tenfold.worker.errors import InvalidSubmission

blueprint = Blueprint("classify", __name__)


@blueprint.get("/classify")
def form() -> ResponseReturnValue:
    return _page(given_fields(request.args))


@blueprint.post("/classify")
def submit() -> ResponseReturnValue:
    try:
        parameters = ClassificationParameters.model_validate(given_fields(request.form))
        job = submit_classification(services(), parameters, take_images(parameters.directory))
    except (ValidationError, InvalidSubmission) as error:
        return _page(given_fields(request.form), field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    asked = [name for name in values.get("model", "").split(",") if name]
    offer = offer_models(services(), search=values.get(SEARCH, ""), chosen=asked)
    chosen = _chosen([entry.id for entry in offer.entries if entry.id in offer.chosen])
    values = {**values, "model": ",".join(offer.chosen)} if asked else values
    unnamed = Choice("", "Choose a model (none is in production)")
    choices = offer.choices if offer.production else [unnamed, *offer.choices]
    fields = form_fields(
        ClassificationParameters,
        choices={"model": choices, "shadow": [Choice("", "None"), *offer.choices]},
        values=values,
        errors=errors,
    )
    changed = any(field.advanced and (field.name in values or field.error) for field in fields)
    return render_template(
        "classify.html",
        fields=fields,
        offer=offer,
        has_model=bool(offer.entries or offer.search),
        all_reviewed=why_all_are_reviewed(chosen, ClassificationParameters()) if chosen else None,
        errors=errors,
        changed=changed,
        max_bytes=settings().max_upload_bytes,
        max_files=settings().max_upload_files,
    )


def _chosen(model_ids: Sequence[str]) -> list[Model]:
    """The models that will answer: the chosen ones, or the one in production."""
    production = services().models.in_production()
    return [services().models.get(model_id) for model_id in model_ids] or ([production] if production else [])
