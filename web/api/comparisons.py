"""`/comparisons`: queue and list; `/jobs/{id}/differences`: the images on which the models differ."""

from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, request, url_for
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from werkzeug.exceptions import NotFound

from tenfold.web.api.documents.comparisons import DifferencesDocument, difference_item
from tenfold.web.api.documents.jobs import JobDocument
from tenfold.web.api.jobs import LISTED, KindFilter, list_of_kind
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import Answer, operation, queued
from tenfold.web.api.parts.answers import accepted, idempotency_key, json_body
from tenfold.web.core.problems import with_code
from tenfold.web.core.services import services
from tenfold.worker.classification.parameters import split_words
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.comparisons.results import open_differences, places_of
from tenfold.worker.comparisons.submission import submit_comparison
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.finished import succeeded

routes = Blueprint("comparisons", __name__)

PNG_START = b"\x89PNG"

# How long browsers keep a picture, which never changes.
KEPT_SECONDS = 7 * 24 * 3600

Names = Annotated[tuple[str, ...], BeforeValidator(split_words)]


class DifferenceFilter(BaseModel):
    """Which images to list. Models are named by their letter in the comparison (`A`) or id, several with commas."""

    model_config = ConfigDict(extra="forbid")

    right: Names = Field((), max_length=8, description="Models that have the image right.")
    wrong: Names = Field((), max_length=8, description="Models that have the image wrong.")
    cursor: int = Field(0, ge=0, lt=2**31, description="As `next` of the page before has it.")
    limit: int = Field(100, ge=1, le=500, description="Most items on a page.")


@routes.get("/comparisons")
@operation("Models", "List the comparisons", query=KindFilter, answers=LISTED)
def list_comparisons() -> Response:
    """Jobs of this kind, the newest first: `GET /jobs?kind=comparison`."""
    return list_of_kind(JobKind.COMPARISON)


@routes.post("/comparisons")
@operation(
    "Models",
    "Queue a comparison of models",
    body=ComparisonParameters,
    example=examples.COMPARISON,
    headers=("Idempotency-Key",),
    answers=queued({**examples.TRAINING_JOB, "kind": "comparison", "parameters": examples.COMPARISON}, JobDocument),
)
def create_comparison() -> Response:
    """Queue a comparison: two or more models answer the same labeled images, and a paired test says which is better."""
    parameters = ComparisonParameters.model_validate(json_body(request))
    return accepted(submit_comparison(services(), parameters, idempotency_key(request)))


@routes.get("/jobs/<job_id>/differences")
@operation(
    "Models",
    "List the images on which compared models differ",
    query=DifferenceFilter,
    answers=[
        Answer(
            200,
            "A page.",
            DifferencesDocument,
            {"items": [examples.DIFFERENCE], "next": None, "count": 1},
            headers=("ETag",),
        )
    ],
    problems=(404, 409),
)
def get_differences(job_id: str) -> Response:
    """Those that one model has right and another wrong come first, the surest mistakes first."""
    wanted = DifferenceFilter.model_validate(request.args.to_dict())
    job = succeeded(services(), job_id, JobKind.COMPARISON)
    right, wrong = (places_of(job, field, getattr(wanted, field)) for field in ("right", "wrong"))
    with open_differences(services(), job_id) as differences:
        found = differences.page(wanted.cursor, wanted.limit + 1, right, wrong)
        count = differences.count(right, wrong)
    following = None
    if len(found) > wanted.limit:
        query: dict[str, Any] = {
            name: ",".join(names) for name in ("right", "wrong") if (names := getattr(wanted, name))
        } | {"cursor": found[wanted.limit].rank, "limit": wanted.limit}
        following = url_for("api.comparisons.get_differences", job_id=job_id, **query)
    items = [difference_item(job, each) for each in found[: wanted.limit]]
    answer: DifferencesDocument = {"items": items, "next": following, "count": count}
    return jsonify(answer)


@routes.get("/jobs/<job_id>/differences/<int:rank>/picture")
@operation(
    "Models",
    "Show an image on which compared models differ",
    answers=[Answer(200, "The picture.", media_types=["image/png", "image/jpeg"])],
    problems=(404, 409),
)
def get_difference_picture(job_id: str, rank: int) -> Response:
    """A thumbnail of the image with this rank."""
    with open_differences(services(), job_id) as differences:
        picture = differences.picture(rank)
    if picture is None:
        raise with_code(NotFound(f"There is no picture with rank {rank}: only the first have one."), "file_not_found")
    response = Response(picture, mimetype="image/png" if picture.startswith(PNG_START) else "image/jpeg")
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    return response
