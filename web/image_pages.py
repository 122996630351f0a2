"""The pages on which a person looks through the images of a classification: thumbnails, and each by itself."""

import json
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, current_app, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from web.image_filter import ImageFilter, filter_of_request
from web.image_pictures import large_picture, page_number, picture_response, read_file, thumbnail
from web.image_preparing import EXTENSION, ImagePreparing, results_of
from web.problems import field_errors
from web.qualities import QUALITIES
from web.services import services
from worker import reviews
from worker.errors import InvalidSubmission, PredictionFailed, PredictorAway, UnknownModel, WrongState
from worker.image_index import Image, ImageIndex, Order, Status
from worker.records import Job

image_pages = Blueprint("images", __name__)

Page = str | tuple[str, int] | Response

IMAGES_ON_A_PAGE = 60

# What is found is counted as far as this; the page says "more than" then.
MOST_COUNTED = 10_000

# The columns of the results that the page of one image shows in a place of their own, or that say nothing to a person.
# All others are a manifest's.
OWN_COLUMNS = frozenset(
    {
        *("row", "name", "label", "confidence", "accepted", "quality", "runner_up", "runner_up_confidence"),
        *("top_labels", "top_confidences", "novelty", "normalisation", "polarity", "truth", "shard"),
        *("error_kind", "error", "corrected"),
    }
)

ORDERS = {
    Order.ROW: "as in the archive",
    Order.LEAST_SURE: "the least sure first",
    Order.SUREST: "the surest first",
}

STATUSES = {
    Status.ACCEPTED: "Accepted",
    Status.REVIEW: "To review",
    Status.RIGHT: "Right",
    Status.WRONG: "Wrong",
    Status.FLAGGED: "Flagged",
    Status.ERROR: "Errors",
}


@image_pages.get("/jobs/<job_id>/images")
def index(job_id: str) -> Page:
    """Thumbnails of all images, or of those that were looked for; `?after=` goes on behind that row."""
    job = _classified(job_id)
    try:
        chosen, errors = filter_of_request(), []
    except ValidationError as error:
        chosen, errors = ImageFilter(), field_errors(error)
    opened = _open(job)
    if opened is None:
        return render_template("images_preparing.html", job=job), HTTPStatus.ACCEPTED
    with opened as images:
        found = images.page(chosen.wanted, chosen.after, IMAGES_ON_A_PAGE + 1)
        count = images.count(chosen.wanted, MOST_COUNTED + 1)
    page = found[:IMAGES_ON_A_PAGE]
    html = render_template(
        "images.html",
        job=job,
        chosen=chosen,
        errors=errors,
        images=page,
        count=count,
        most_counted=MOST_COUNTED,
        following=page[-1].row if len(found) > IMAGES_ON_A_PAGE else None,
        class_names=_class_names(job),
        statuses={status: text for status, text in STATUSES.items() if _figure(job, status)},
        figure=lambda status: _figure(job, status),
        named=lambda names: [(name, name) for name in names],
        orders=ORDERS,
        qualities=QUALITIES,
    )
    return (html, HTTPStatus.UNPROCESSABLE_ENTITY) if errors else html


@image_pages.get("/jobs/<job_id>/images/<int:row>")
def show(job_id: str, row: int) -> Page:
    """One image and all that is known of it; with `?how=1`, what the model makes of it step by step."""
    job = _classified(job_id)
    try:
        chosen = filter_of_request()
    except ValidationError:
        chosen = ImageFilter()
    opened = _open(job)
    if opened is None:
        return render_template("images_preparing.html", job=job), HTTPStatus.ACCEPTED
    with opened as images:
        image = _find(images, row)
        following = next(iter(images.page(chosen.wanted, row, 1)), None)
    how, trouble = _how(job, image) if "how" in request.args else (None, None)
    details = _details(job, image)
    return render_template(
        "image.html",
        job=job,
        chosen=chosen,
        image=image,
        details=details,
        manifest={name: value for name, value in details.items() if name not in OWN_COLUMNS and value is not None},
        following=following,
        review=_review(job, row),
        how=how,
        trouble=trouble,
        qualities=QUALITIES,
    )


@image_pages.get("/jobs/<job_id>/images/<int:row>/picture")
def picture(job_id: str, row: int) -> Response:
    """The image, small; with `?large=1`, the file itself where a browser can show it."""
    job = _classified(job_id)
    opened = _open(job)
    if opened is None:
        abort(HTTPStatus.NOT_FOUND, "The images are being prepared. Try again in a moment.")
    with opened as images:
        image = _find(images, row)
    found = large_picture(job, image) if "large" in request.args else thumbnail(job, image)
    if found is None:
        abort(HTTPStatus.NOT_FOUND, "There is no picture of this image: its file is gone, or cannot be shown.")
    return picture_response(found)


def _classified(job_id: str) -> Job:
    return reviews.reviewable(services(), job_id)


def _open(job: Job) -> ImageIndex | None:
    preparing: ImagePreparing = current_app.extensions[EXTENSION]
    return preparing.open(services().volume, job)


def _find(images: ImageIndex, row: int) -> Image:
    found = images.find(row)
    if found is None:
        abort(HTTPStatus.NOT_FOUND, f"The classification has no image {row}.")
    return found


def _class_names(job: Job) -> tuple[str, ...]:
    try:
        return reviews.class_names(services(), job)
    except UnknownModel:  # it has been deleted since
        return tuple((job.summary or {})["counts"])


def _figure(job: Job, status: Status) -> int:
    """How many images are so, of what the job's summary knows."""
    summary = job.summary or {}
    labelled, correct = summary.get("labelled") or 0, summary.get("correct") or 0
    figures = {
        Status.ACCEPTED: summary.get("accepted"),
        Status.REVIEW: summary.get("to_review"),
        Status.RIGHT: correct,
        Status.WRONG: labelled - correct,
        Status.FLAGGED: sum((summary.get("quality") or {}).values()),
        Status.ERROR: summary.get("errors"),
    }
    return int(figures[status] or 0)


def _details(job: Job, image: Image) -> dict[str, Any]:
    """The image's line of the results, with what a manifest says of it."""
    with results_of(services().volume, job.id).open("rb") as lines:
        lines.seek(image.line_at)
        details: dict[str, Any] = json.loads(lines.readline())
    return details


def _review(job: Job, row: int) -> dict[str, Any] | None:
    """Where in the review the image is, and what a person has said of it; None where it is not there."""
    try:
        with reviews.open_queue(services(), job.id) as queue:
            item = queue.find(row)
    except WrongState:
        return None
    return {"place": item.place, "correction": services().corrections.get(job.id, row)} if item else None


def _how(job: Job, image: Image) -> tuple[dict[str, Any] | None, str | None]:
    """What the first of the job's models makes of the image, with its steps; or why that cannot be seen."""
    content = read_file(job, image)
    if content is None:
        return None, "The file of this image is not there any more, is too large, or cannot be read."
    try:
        model = services().models.serving(job.parameters["model"][0])
        options = {name: job.parameters[name] for name in ("normalise", "polarity")}
        return services().predictions.ask(
            content, {"model": model.id, "steps": True, "page": page_number(image) or 1} | options
        ), None
    except (InvalidSubmission, PredictorAway, PredictionFailed) as error:
        return None, str(error)
