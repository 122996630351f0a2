"""One image of a classification: its picture, its answer, and how the model saw it."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.wrappers import Response

from tenfold.web.core.qualities import QUALITIES
from tenfold.web.core.services import services
from tenfold.web.pages.images.filter import ImageFilter, filter_of_request
from tenfold.web.pages.images.index import open_index, results_of
from tenfold.web.pages.images.pictures import large_picture, page_number, picture_response, read_file, thumbnail
from tenfold.worker.classification.earlier_results import current_row
from tenfold.worker.classification.image_index.index import Image, ImageIndex
from tenfold.worker.db.records import Job
from tenfold.worker.errors import InvalidSubmission, PredictionFailed, PredictorAway, WrongState
from tenfold.worker.review import reviews

blueprint = Blueprint("image", __name__)

# The columns of the results that the page shows in places of their own, or not at all. All others are a manifest's.
OWN_COLUMNS = frozenset(
    {
        *("row", "name", "prediction", "confidence", "accepted", "quality", "runner_up", "runner_up_confidence"),
        *("top_predictions", "top_confidences", "novelty", "normalization", "polarity", "true_label", "shard"),
        *("error_kind", "error", "corrected", "shadow_prediction", "shadow_confidence"),
    }
)


@blueprint.get("/jobs/<job_id>/images/<int:row>")
def show(job_id: str, row: int) -> ResponseReturnValue:
    """One image and its line of the results; `?how=1` adds the steps of normalization."""
    job = reviews.reviewable(services(), job_id)
    try:
        chosen = filter_of_request()
    except ValidationError:
        chosen = ImageFilter()
    opened = open_index(job)
    if opened is None:
        return render_template("images/preparing.html", job=job), HTTPStatus.ACCEPTED
    with opened as images:
        image = _find(images, row)
        following = next(iter(images.page(chosen.image_query, row, 1)), None)
    answer, why_no_steps = _answer_with_steps(job, image) if "how" in request.args else (None, None)
    details = _line_of_results(job, image)
    return render_template(
        "images/image.html",
        job=job,
        chosen=chosen,
        image=image,
        details=details,
        top_classes=list(zip(details["top_predictions"] or (), details["top_confidences"] or (), strict=True)),
        manifest={name: value for name, value in details.items() if name not in OWN_COLUMNS and value is not None},
        following=following,
        review=_review(job, row),
        answer=answer,
        why_no_steps=why_no_steps,
        qualities=QUALITIES,
    )


@blueprint.get("/jobs/<job_id>/images/<int:row>/picture")
def picture(job_id: str, row: int) -> Response:
    """A thumbnail of the image; with `?large=1` the file itself, if browsers can show it."""
    job = reviews.reviewable(services(), job_id)
    opened = open_index(job)
    if opened is None:
        abort(HTTPStatus.NOT_FOUND, "The images are being indexed. Try again in a moment.")
    with opened as images:
        image = _find(images, row)
    found = large_picture(job, image) if "large" in request.args else thumbnail(job, image)
    if found is None:
        abort(HTTPStatus.NOT_FOUND, "No picture of this image: its file was deleted or cannot be displayed.")
    return picture_response(found)


def _find(images: ImageIndex, row: int) -> Image:
    found = images.find(row)
    if found is None:
        abort(HTTPStatus.NOT_FOUND, f"The classification has no image {row}.")
    return found


def _line_of_results(job: Job, image: Image) -> Mapping[str, Any]:
    with results_of(services().volume, job.id).open("rb") as lines:
        lines.seek(image.line_at)
        return current_row(json.loads(lines.readline()))


def _review(job: Job, row: int) -> dict[str, Any] | None:
    """The image's rank in the review queue and its correction; None if it is not in the queue."""
    try:
        with reviews.open_queue(services(), job.id) as queue:
            item = queue.find(row)
    except WrongState:
        return None
    return {"rank": item.rank, "correction": services().corrections.get(job.id, row)} if item else None


def _answer_with_steps(job: Job, image: Image) -> tuple[dict[str, Any] | None, str | None]:
    """The answer of the job's first model with the steps of normalization, or the reason why there is none."""
    content = read_file(job, image)
    if content is None:
        return None, "The file of this image was deleted, is too large, or cannot be read."
    try:
        model = services().models.serving(job.parameters["model"][0])
        options = {name: job.parameters[name] for name in ("normalize", "polarity")}
        asked = {"model": model.id, "steps": True, "page": page_number(image) or 1} | options
        return services().predictions.ask(content, asked), None
    except (InvalidSubmission, PredictorAway, PredictionFailed) as error:
        return None, str(error)
