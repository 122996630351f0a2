"""The images of a classification as thumbnails, filtered and sorted by the query."""

from http import HTTPStatus

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from tenfold.web.core.problems import field_errors
from tenfold.web.core.qualities import QUALITIES
from tenfold.web.core.services import services
from tenfold.web.pages.images.filter import ImageFilter, filter_of_request
from tenfold.web.pages.images.index import open_index
from tenfold.worker.classification.image_index.index import Order, Status
from tenfold.worker.db.records import Job
from tenfold.worker.errors import UnknownModel
from tenfold.worker.review import reviews

blueprint = Blueprint("images", __name__)

IMAGES_ON_A_PAGE = 60

# Matches are counted up to this number; beyond it the page says "more than".
MAX_COUNTED = 10_000

ORDERS = {
    Order.ROW: "As in the archive",
    Order.LEAST_CONFIDENT: "Least confident first",
    Order.MOST_CONFIDENT: "Most confident first",
}

STATUSES = {
    Status.ACCEPTED: "Accepted",
    Status.REVIEW: "To review",
    Status.RIGHT: "Correct",
    Status.WRONG: "Wrong",
    Status.FLAGGED: "Flagged",
    Status.SHADOW_DIFFERS: "Shadow model differs",
    Status.ERROR: "Errors",
}


@blueprint.get("/jobs/<job_id>/images")
def index(job_id: str) -> ResponseReturnValue:
    """Thumbnails of the images that match the filter; `?after=` continues after that row."""
    job = reviews.reviewable(services(), job_id)
    try:
        chosen, errors = filter_of_request(), []
    except ValidationError as error:
        chosen, errors = ImageFilter(), field_errors(error)
    opened = open_index(job)
    if opened is None:
        return render_template("images/preparing.html", job=job), HTTPStatus.ACCEPTED
    with opened as images:
        found = images.page(chosen.image_query, chosen.after, IMAGES_ON_A_PAGE + 1)
        count = images.count(chosen.image_query, MAX_COUNTED + 1)
    page = found[:IMAGES_ON_A_PAGE]
    counts = _count_by_status(job)
    html = render_template(
        "images/list.html",
        job=job,
        chosen=chosen,
        errors=errors,
        images=page,
        count=count,
        max_counted=MAX_COUNTED,
        following=page[-1].row if len(found) > IMAGES_ON_A_PAGE else None,
        class_names=_class_names(job),
        statuses=[(status, text, counts[status]) for status, text in STATUSES.items() if counts[status]],
        orders=ORDERS,
        qualities=QUALITIES,
    )
    return (html, HTTPStatus.UNPROCESSABLE_ENTITY) if errors else html


def _class_names(job: Job) -> tuple[str, ...]:
    try:
        return reviews.class_names(services(), job)
    except UnknownModel:  # deleted since
        return tuple((job.summary or {})["counts"])


def _count_by_status(job: Job) -> dict[Status, int]:
    """From the job's summary; 0 where it does not say."""
    summary = job.summary or {}
    labeled, correct = summary.get("labeled") or 0, summary.get("correct") or 0
    return {
        Status.ACCEPTED: summary.get("accepted") or 0,
        Status.REVIEW: summary.get("to_review") or 0,
        Status.RIGHT: correct,
        Status.WRONG: labeled - correct,
        Status.FLAGGED: sum((summary.get("quality") or {}).values()),
        Status.SHADOW_DIFFERS: (summary.get("shadow") or {}).get("differing") or 0,
        Status.ERROR: summary.get("errors") or 0,
    }
