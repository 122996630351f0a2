"""The page on which a person hands in images to be classified. `static/upload.js` shows how the upload goes."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from pydantic import ValidationError

from web.forms import Choice, form_fields, given_fields
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
    return _page(request.args)


@pages.post("/classify")
def classify() -> Page:
    try:
        parameters = ClassificationParameters.model_validate(given_fields(request.form))
        job = submit_classification(services(), parameters, take_images(parameters.directory))
    except (ValidationError, InvalidSubmission) as error:
        return _page(request.form, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("pages.job", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(values: Mapping[str, str], errors: Sequence[dict[str, str]] = ()) -> str:
    asked = values.get("model", "").split(",")
    models = [model for model in services().models.list() if not model.trial or model.id in asked]
    default = services().models.default()
    if default is not None:
        models = [default, *(model for model in models if model.id != default.id)]
    offered = [Choice(model.id, _described(model, default)) for model in models]
    chosen = [model for model in models if model.id in asked] or models[:1]
    fields = form_fields(ClassificationParameters, choices={"model": offered}, values=values, errors=errors)
    changed = any(field.advanced and (field.name in values or field.error) for field in fields)
    return render_template(
        "classify.html",
        fields=fields,
        has_model=bool(models),
        all_reviewed=why_all_are_reviewed(chosen, ClassificationParameters()) if chosen else None,
        errors=errors,
        changed=changed,
        max_bytes=settings().max_upload_bytes,
        max_files=settings().max_upload_files,
    )


def _described(model: Model, default: Model | None) -> str:
    figure = f"{model.recipe} on {model.dataset}, {100 * model.metrics['test_accuracy']:.2f} % on test"
    return f"{figure} ({'default, ' if default and model.id == default.id else ''}{model.id})"
