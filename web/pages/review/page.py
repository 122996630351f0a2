"""The page to review the uncertain answers of a classification. `static/review.js` makes it fast."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.wrappers import Response

from tenfold.web.api.documents.reviews import review_item
from tenfold.web.core.forms import given_fields
from tenfold.web.core.problems import field_errors
from tenfold.web.core.services import services
from tenfold.web.core.url_numbers import MAX_INTEGER
from tenfold.web.pages.review.forms import merge_form
from tenfold.web.pages.review.keys import NONE_KEY, UNDO_KEY, class_keys
from tenfold.worker.classification.review_queue.queue import Item, ReviewQueue
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.review import reviews
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.submission import submit_review

blueprint = Blueprint("review", __name__)


@blueprint.get("/jobs/<job_id>/review")
def show(job_id: str) -> ResponseReturnValue:
    """The answer at `?rank=`; by default the first one not reviewed yet."""
    rank = request.args.get("rank", type=int)
    if rank is not None and abs(rank) > MAX_INTEGER:
        abort(HTTPStatus.NOT_FOUND, "The review has no item of this rank.")
    return _page(job_id, rank)


@blueprint.post("/jobs/<job_id>/review/<int:row>")
def correct(job_id: str, row: int) -> ResponseReturnValue:
    """The form without JavaScript sends `label`, `none` or `clear`."""
    given = request.form
    if "clear" in given:
        item = reviews.clear(services(), job_id, row)
        return _to_rank(job_id, item.rank)
    item, _ = reviews.correct(services(), job_id, row, None if "none" in given else given.get("label", ""))
    corrected = frozenset(correction.row for correction in services().corrections.list(job_id))
    with reviews.open_queue(services(), job_id) as queue:
        return _to_rank(job_id, _first_open(queue, corrected, item.rank) or 0)


@blueprint.post("/jobs/<job_id>/review/merge")
def merge(job_id: str) -> ResponseReturnValue:
    try:
        parameters = ReviewParameters.model_validate(given_fields(request.form) | {"classification": job_id})
        job = submit_review(services(), parameters)
    except (ValidationError, InvalidSubmission) as error:
        return _page(job_id, None, request.form, field_errors(error)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("job.show", job_id=job.id), HTTPStatus.SEE_OTHER)


def _page(
    job_id: str,
    rank: int | None,
    entered: Mapping[str, str] | None = None,
    errors: Sequence[dict[str, str]] = (),
) -> str:
    job = reviews.reviewable(services(), job_id)
    corrections = {correction.row: correction for correction in services().corrections.list(job_id)}
    with reviews.open_queue(services(), job_id) as queue:
        counts = reviews.Counts(len(queue), len(corrections))
        item = _choose(queue, rank, frozenset(corrections))
    keys = class_keys(names := reviews.class_names(services(), job))
    return render_template(
        "review/page.html",
        job=job,
        counts=counts,
        item=item and review_item(job, item, corrections.get(item.row)),
        class_names=names,
        keys=keys,
        none_key=None if NONE_KEY in keys.values() else NONE_KEY,
        undo_key=None if UNDO_KEY in keys.values() else UNDO_KEY,
        fields=merge_form(job, entered or {}, errors),
        errors=errors,
    )


def _choose(queue: ReviewQueue, rank: int | None, corrected: frozenset[int]) -> Item | None:
    if rank is None:
        rank = _first_open(queue, corrected) or 0
    return next(iter(queue.page(max(rank, 0), 1)), None) or next(iter(queue.page(0, 1)), None)


def _first_open(queue: ReviewQueue, corrected: frozenset[int], after: int = -1) -> int | None:
    """The next rank not reviewed yet, continuing at the start after the end; None if all are reviewed."""
    for start in (after + 1, 0):
        found, _ = reviews.list_items(queue, start, 1, besides=corrected)
        if found:
            return found[0].rank
    return None


def _to_rank(job_id: str, rank: int) -> Response:
    return redirect(url_for("review.show", job_id=job_id, rank=rank), HTTPStatus.SEE_OTHER)
