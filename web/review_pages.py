"""The page on which a person reviews a classification's doubtful answers. `static/review.js` makes it quick."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from web.forms import given_fields
from web.numbers_in_addresses import MAX_INTEGER
from web.problems import field_errors
from web.review_documents import item_document
from web.review_forms import merge_form
from web.review_keys import NONE_KEY, UNDO_KEY, class_keys
from web.services import services
from worker import reviews
from worker.errors import InvalidSubmission
from worker.parameters import ReviewParameters
from worker.review_queue import Item, ReviewQueue
from worker.submissions import submit_review

review_pages = Blueprint("review", __name__)

Page = str | tuple[str, int] | Response


@review_pages.get("/jobs/<job_id>/review")
def show(job_id: str) -> Page:
    """One doubtful answer, at `?place=`; without it, the first that nobody has looked at."""
    place = request.args.get("place", type=int)
    if place is not None and abs(place) > MAX_INTEGER:
        abort(HTTPStatus.NOT_FOUND, "The review has no such place.")
    return _page(job_id, place)


@review_pages.post("/jobs/<job_id>/review/<int:row>")
def correct(job_id: str, row: int) -> Page:
    """What the form without JavaScript sends: a `label`, or `none`, or `clear`."""
    given = request.form
    if "clear" in given:
        item = reviews.clear(services(), job_id, row)
        return _to_place(job_id, item.place)
    item, _ = reviews.correct(services(), job_id, row, None if "none" in given else given.get("label", ""))
    corrected = frozenset(correction.row for correction in services().corrections.list(job_id))
    with reviews.open_queue(services(), job_id) as queue:
        return _to_place(job_id, _first_open(queue, corrected, item.place) or 0)


@review_pages.post("/jobs/<job_id>/review/merge")
def merge(job_id: str) -> Page:
    try:
        parameters = ReviewParameters.model_validate(given_fields(request.form) | {"classification": job_id})
        job = submit_review(services(), parameters)
    except (ValidationError, InvalidSubmission) as error:
        return _page(job_id, None, request.form, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("pages.job", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(
    job_id: str,
    place: int | None,
    entered: Mapping[str, str] | None = None,
    errors: Sequence[dict[str, str]] = (),
) -> str:
    job = reviews.reviewable(services(), job_id)
    corrections = {correction.row: correction for correction in services().corrections.list(job_id)}
    with reviews.open_queue(services(), job_id) as queue:
        counts = reviews.Counts(len(queue), len(corrections))
        item = _choose(queue, place, frozenset(corrections))
    keys = class_keys(names := reviews.class_names(services(), job))
    return render_template(
        "review.html",
        job=job,
        counts=counts,
        item=item and item_document(job, item, corrections.get(item.row)),
        class_names=names,
        keys=keys,
        none_key=None if NONE_KEY in keys.values() else NONE_KEY,
        undo_key=None if UNDO_KEY in keys.values() else UNDO_KEY,
        fields=merge_form(job, entered or {}, errors),
        errors=errors,
    )


def _choose(queue: ReviewQueue, place: int | None, corrected: frozenset[int]) -> Item | None:
    if place is None:
        place = _first_open(queue, corrected) or 0
    return next(iter(queue.page(max(place, 0), 1)), None) or next(iter(queue.page(0, 1)), None)


def _first_open(queue: ReviewQueue, corrected: frozenset[int], after: int = -1) -> int | None:
    """The next place that nobody has looked at, going on at the start after the end; None when there is no other."""
    for start in (after + 1, 0):
        found, _ = reviews.list_items(queue, start, 1, besides=corrected)
        if found:
            return found[0].place
    return None


def _to_place(job_id: str, place: int) -> Response:
    return redirect(url_for("review.show", job_id=job_id, place=place), HTTPStatus.SEE_OTHER)
