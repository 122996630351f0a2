"""The page on which a person hands in images to be classified. `static/upload.js` shows how the upload goes."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from pydantic import ValidationError

from web.forms import Choice, form_fields, given_fields
from web.model_choices import SEARCH, offer_models
from web.pages import Page, pages
from web.problems import field_errors
from web.services import services, settings
from web.uploads import take_images
from worker.errors import InvalidSubmission
from worker.parameters import ClassificationParameters
from worker.records import Model
from worker.submissions import submit_classification
from worker.thresholds import why_all_are_reviewed


@pages.get("/classify")
def classify_form() -> Page:
    return _page(given_fields(request.args))


@pages.post("/classify")
def classify() -> Page:
    try:
        parameters = ClassificationParameters.model_validate(given_fields(request.form))
        job = submit_classification(services(), parameters, take_images(parameters.directory))
    except (ValidationError, InvalidSubmission) as error:
        return _page(given_fields(request.form), field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("pages.job", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    asked = [name for name in values.get("model", "").split(",") if name]
    offer = offer_models(services(), search=values.get(SEARCH, ""), chosen=asked)
    chosen = _chosen([entry.id for entry in offer.entries if entry.id in asked])
    choices = offer.choices if offer.default else [Choice("", "choose a model: there is no default"), *offer.choices]
    fields = form_fields(ClassificationParameters, choices={"model": choices}, values=values, errors=errors)
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
    """Those that will answer: without any, the default one."""
    default = services().models.default()
    return [services().models.get(model_id) for model_id in model_ids] or ([] if default is None else [default])
