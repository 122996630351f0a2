"""`/jobs/{id}/review`: list and correct uncertain answers; `/reviews` merges the corrections."""

import csv
import io
from typing import Any, Literal

from flask import Blueprint, Response, jsonify, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from tenfold.web.api.documents.common import timestamp
from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.documents.reviews import ReviewDocument, ReviewItem, review_counts, review_item
from tenfold.web.api.jobs import LISTED, KindFilter, list_of_kind
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, operation, queued
from tenfold.web.api.parts.answers import accepted, idempotency_key, json_body
from tenfold.web.api.parts.caching import with_strong_etag
from tenfold.web.auth.guard import check_owner
from tenfold.web.core.problems import with_code
from tenfold.web.core.services import services
from tenfold.worker.classification.csv_cells import as_cell
from tenfold.worker.db.states import JobKind
from tenfold.worker.review import reviews
from tenfold.worker.review.corrections import NONE_OF_THESE
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.submission import submit_review

routes = Blueprint("reviews", __name__)

CSV_COLUMNS = ("row", "name", "prediction", "confidence", "corrected", "corrected_at")

# The first bytes of a PNG; the other pictures are JPEGs.
PNG_START = b"\x89PNG"

# How long browsers keep a picture, which never changes.
KEPT_SECONDS = 7 * 24 * 3600


class ReviewFilter(BaseModel):
    """Which items of a review to list."""

    model_config = ConfigDict(extra="forbid")

    cursor: int = Field(0, ge=0, lt=2**31, description="As `next` of the page before has it.")
    limit: int = Field(100, ge=1, le=500, description="Most items on a page.")
    only: Literal["open"] | None = Field(None, description="`open`: those without a correction.")


class PictureOptions(BaseModel):
    """Which picture of the image."""

    model_config = ConfigDict(extra="forbid")

    view: Literal["original", "model_input"] = Field(
        "original", description="`model_input`: the pixels that the model was given."
    )


class CorrectionParameters(BaseModel):
    """What an image shows: one of the classes, or null for none of them."""

    model_config = ConfigDict(extra="forbid")

    label: str | None = Field(description="One of the classes, or null for none of them.")


@routes.get("/jobs/<job_id>/review")
@operation(
    "Reviews",
    "List the answers to review",
    query=ReviewFilter,
    answers=[
        Answer(
            200,
            "A page.",
            ReviewDocument,
            {
                "items": [examples.REVIEW_ITEM],
                "next": None,
                "counts": {"total": 12, "open": 11, "corrected": 1},
                "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
                "review_below": 0.92,
            },
            headers=("ETag",),
        )
    ],
    problems=(404, 409),
)
def get_review(job_id: str) -> Response:
    """The answers to review, the least certain first; with `?only=open`, those without a correction."""
    wanted = ReviewFilter.model_validate(request.args.to_dict())
    job = reviews.reviewable(services(), job_id)
    corrections = {correction.row: correction for correction in services().corrections.list(job_id)}
    besides = frozenset(corrections) if wanted.only else frozenset()
    with reviews.open_queue(services(), job_id) as queue:
        items, rank = reviews.list_items(queue, wanted.cursor, wanted.limit, besides)
        counts = reviews.Counts(len(queue), len(corrections))
    following: str | None = None
    if rank is not None:
        query: dict[str, Any] = wanted.model_dump(exclude_none=True) | {"cursor": rank}
        following = url_for("api.reviews.get_review", job_id=job_id, **query)
    return jsonify(
        {
            "items": [review_item(job, item, corrections.get(item.row)) for item in items],
            "next": following,
            "counts": review_counts(counts),
            "classes": reviews.class_names(services(), job),
            "review_below": (job.summary or {})["review_below"],
        }
    )


@routes.put("/jobs/<job_id>/review/<int:row>")
@operation(
    "Reviews",
    "Correct or confirm an answer",
    body=CorrectionParameters,
    example={"label": "7"},
    headers=("If-Match",),
    answers=[Answer(200, "The answer as it is now.", ReviewItem, examples.REVIEW_ITEM, headers=("ETag",))],
    problems=(404, 409, 412),
)
def put_correction(job_id: str, row: int) -> Response:
    """Set what the image in this row shows; replaces an earlier correction."""
    wanted = CorrectionParameters.model_validate(json_body(request))
    item, correction = reviews.correct(services(), job_id, row, wanted.label)
    return with_strong_etag(jsonify(review_item(services().jobs.get(job_id), item, correction)))


@routes.get("/jobs/<job_id>/review/<int:row>")
@operation(
    "Reviews",
    "Show an answer to review",
    answers=[Answer(200, "The answer.", ReviewItem, examples.REVIEW_ITEM, headers=("ETag",))],
    problems=(404, 409),
)
def get_review_item(job_id: str, row: int) -> Response:
    """The answer in this row of the results, with its correction."""
    job = reviews.reviewable(services(), job_id)
    with reviews.open_queue(services(), job_id) as queue:
        item = reviews.find_item(queue, job_id, row)
    return with_strong_etag(jsonify(review_item(job, item, services().corrections.get(job_id, row))))


@routes.delete("/jobs/<job_id>/review/<int:row>")
@operation("Reviews", "Remove a correction", answers=NO_CONTENT, problems=(404, 409))
def delete_correction(job_id: str, row: int) -> tuple[str, int]:
    """Remove the correction of this row, if there is one."""
    reviews.clear(services(), job_id, row)
    return "", 204


@routes.get("/jobs/<job_id>/review/<int:row>/picture")
@operation(
    "Reviews",
    "Show an image",
    query=PictureOptions,
    answers=[Answer(200, "The picture.", media_types=["image/png", "image/jpeg"])],
    problems=(404, 409),
)
def get_review_picture(job_id: str, row: int) -> Response:
    """The image in this row, made small; with `?view=model_input`, the pixels that the model was given."""
    options = PictureOptions.model_validate(request.args.to_dict())
    with reviews.open_queue(services(), job_id) as queue:
        reviews.find_item(queue, job_id, row)
        picture = queue.picture(row, model_input=options.view == "model_input")
    if picture is None:
        most = services().settings.max_review_images
        missing = NotFound(f"There is no picture of row {row}: only the least certain {most:,} have one.")
        raise with_code(missing, "file_not_found")
    response = Response(picture, mimetype="image/png" if picture.startswith(PNG_START) else "image/jpeg")
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    return response


@routes.get("/jobs/<job_id>/corrections.csv")
@operation(
    "Reviews",
    "Download the corrections",
    answers=[
        Answer(
            200,
            "A table.",
            media_types=["text/csv"],
            example=f"{','.join(CSV_COLUMNS)}\n17,7/00017.png,1,0.41,7,{examples.ENDED}\n",
            headers=("ETag",),
        )
    ],
    problems=(404, 409),
)
def get_corrections(job_id: str) -> Response:
    """A line for each corrected or confirmed row; `(none)` is none of the classes."""
    corrections = services().corrections.list(job_id)
    with reviews.open_queue(services(), job_id) as queue:
        items = {item.row: item for item in queue.find_all(correction.row for correction in corrections)}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for correction in corrections:
        item = items[correction.row]
        label = NONE_OF_THESE if correction.label is None else correction.label
        prediction = "" if item.prediction is None else as_cell(item.prediction)
        corrected = as_cell(label), timestamp(correction.corrected_at)
        writer.writerow([correction.row, as_cell(correction.name), prediction, item.confidence, *corrected])
    response = Response(table.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="corrections-{job_id}.csv"'
    return response


@routes.get("/reviews")
@operation("Reviews", "List the reviews", query=KindFilter, answers=LISTED)
def list_reviews() -> Response:
    """Jobs that merge corrections, the newest first: `GET /jobs?kind=review`."""
    return list_of_kind(JobKind.REVIEW)


@routes.post("/reviews")
@operation(
    "Reviews",
    "Queue the merging of corrections",
    body=ReviewParameters,
    example=examples.REVIEW,
    headers=("Idempotency-Key",),
    answers=queued({**examples.TRAINING_JOB, "kind": "review", "parameters": examples.REVIEW}, JobDocument),
    problems=(404, 409),
)
def create_review() -> Response:
    """Queue the merging of a classification's corrections into its results, and into a data set."""
    parameters = ReviewParameters.model_validate(json_body(request))
    check_owner(parameters.classification)
    return accepted(submit_review(services(), parameters, idempotency_key(request)))
