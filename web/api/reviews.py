"""`/jobs/{id}/review`: look at doubtful answers and correct them; `/reviews` puts the corrections to use."""

import csv
import io
from typing import Any, Literal

from flask import Response, jsonify, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from web.access.guard import check_owner
from web.api import api, examples
from web.api.answers import accepted, idempotency_key, json_body
from web.api.caching import check_if_match, with_strong_etag
from web.api.operations import NO_CONTENT, Answer, operation, queued
from web.documents import JobDocument, ReviewDocument, ReviewItem
from web.problems import with_code
from web.representations import timestamp
from web.review_documents import counts_document, item_document
from web.services import services
from worker import reviews
from worker.corrections import NONE_OF_THESE
from worker.csv_cells import as_cell
from worker.parameters import ReviewParameters
from worker.submissions import submit_review

CSV_COLUMNS = ("row", "name", "predicted", "confidence", "corrected", "corrected_at")

# PNG's and JPEG's first bytes; the pictures are one or the other.
PNG_START = b"\x89PNG"

# A picture never changes: its classification has ended.
KEPT_SECONDS = 7 * 24 * 3600


class ReviewFilter(BaseModel):
    """Which items of a review to list."""

    model_config = ConfigDict(extra="forbid")

    cursor: int = Field(0, ge=0, lt=2**31, description="As `next` of the page before has it.")
    limit: int = Field(100, ge=1, le=500, description="Most items on a page.")
    only: Literal["open"] | None = Field(None, description="`open`: those that nobody has looked at.")


class PictureOptions(BaseModel):
    """Which picture: without `seen`, of the original."""

    model_config = ConfigDict(extra="forbid")

    seen: Literal["model"] | None = Field(None, description="`model`: the 28×28 that the model saw.")


class Said(BaseModel):
    """What an image shows: one of the classes, or null for none of them."""

    model_config = ConfigDict(extra="forbid")

    label: str | None = Field(description="One of the classes, or null for none of them.")


@api.get("/jobs/<job_id>/review")
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
    """The answers to review, the least certain first; with `?only=open`, those that nobody has looked at yet."""
    wanted = ReviewFilter.model_validate(request.args.to_dict())
    job = reviews.reviewable(services(), job_id)
    corrections = {correction.row: correction for correction in services().corrections.list(job_id)}
    besides = frozenset(corrections) if wanted.only else frozenset()
    with reviews.open_queue(services(), job_id) as queue:
        items, place = reviews.list_items(queue, wanted.cursor, wanted.limit, besides)
        counts = reviews.Counts(len(queue), len(corrections))
    following: str | None = None
    if place is not None:
        query: dict[str, Any] = wanted.model_dump(exclude_none=True) | {"cursor": place}
        following = url_for("api.get_review", job_id=job_id, **query)
    return jsonify(
        {
            "items": [item_document(job, item, corrections.get(item.row)) for item in items],
            "next": following,
            "counts": counts_document(counts),
            "classes": reviews.class_names(services(), job),
            "review_below": (job.summary or {})["review_below"],
        }
    )


@api.put("/jobs/<job_id>/review/<int:row>")
@operation(
    "Reviews",
    "Correct or confirm an answer",
    body=Said,
    example={"label": "7"},
    headers=("If-Match",),
    answers=[Answer(200, "The answer as it is now.", ReviewItem, examples.REVIEW_ITEM, headers=("ETag",))],
    problems=(404, 409, 412),
)
def put_correction(job_id: str, row: int) -> Response:
    """Say what the image in this row shows; it replaces what was said before."""
    said = Said.model_validate(json_body(request))
    check_if_match(lambda: _item(job_id, row))
    item, correction = reviews.correct(services(), job_id, row, said.label)
    return with_strong_etag(jsonify(item_document(services().jobs.get(job_id), item, correction)))


def _item(job_id: str, row: int) -> Response:
    job = reviews.reviewable(services(), job_id)
    with reviews.open_queue(services(), job_id) as queue:
        item = reviews.find_item(queue, job_id, row)
    correction = next((said for said in services().corrections.list(job_id) if said.row == row), None)
    return jsonify(item_document(job, item, correction))


@api.delete("/jobs/<job_id>/review/<int:row>")
@operation("Reviews", "Take back a correction", answers=NO_CONTENT, problems=(404, 409))
def delete_correction(job_id: str, row: int) -> tuple[str, int]:
    """Take back what was said of this row, if anything."""
    reviews.clear(services(), job_id, row)
    return "", 204


@api.get("/jobs/<job_id>/review/<int:row>/picture")
@operation(
    "Reviews",
    "Look at an image",
    query=PictureOptions,
    answers=[Answer(200, "The picture.", media_types=["image/png", "image/jpeg"])],
    problems=(404, 409),
)
def get_review_picture(job_id: str, row: int) -> Response:
    """The image in this row, made small; with `?seen=model`, as the model saw it: 28×28, light on dark."""
    options = PictureOptions.model_validate(request.args.to_dict())
    with reviews.open_queue(services(), job_id) as queue:
        reviews.find_item(queue, job_id, row)
        picture = queue.picture(row, seen_by_model=options.seen == "model")
    if picture is None:
        most = services().settings.max_review_images
        missing = NotFound(f"No picture is kept of row {row}: only the least certain have one (now {most:,}).")
        raise with_code(missing, "file_not_found")
    response = Response(picture, mimetype="image/png" if picture.startswith(PNG_START) else "image/jpeg")
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    return response


@api.get("/jobs/<job_id>/corrections.csv")
@operation(
    "Reviews",
    "Fetch the corrections",
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
    """What people said, a line for each row that they looked at; `(none)` is none of the classes."""
    corrections = services().corrections.list(job_id)
    with reviews.open_queue(services(), job_id) as queue:
        items = {item.row: item for item in queue.find_all(correction.row for correction in corrections)}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for said in corrections:
        item = items[said.row]
        label = NONE_OF_THESE if said.label is None else said.label
        answer = "" if item.label is None else as_cell(item.label)
        line = [said.row, as_cell(said.name), answer, item.confidence, as_cell(label), timestamp(said.corrected_at)]
        writer.writerow(line)
    response = Response(table.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="corrections-{job_id}.csv"'
    return response


@api.post("/reviews")
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
