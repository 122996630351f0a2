"""The answers of a classification to review."""

from typing import Any

from flask import url_for
from typing_extensions import TypedDict

from tenfold.web.api.documents.common import timestamp
from tenfold.web.core.qualities import QUALITIES
from tenfold.worker.classification.review_queue.queue import Item
from tenfold.worker.db.records import Correction, Job
from tenfold.worker.review.reviews import Counts


class CorrectionDocument(TypedDict):
    """What a person said of an image; `label` is null for none of the classes."""

    label: str | None
    corrected_at: str


class ReviewLinks(TypedDict):
    """`picture` is the image, `model_input` what the model was given; null where no pictures are kept."""

    self: str
    picture: str | None
    model_input: str | None


class ReviewItem(TypedDict):
    """One answer to review. `rank` counts from 0, the least certain first; `correction` is null until somebody has
    reviewed it."""

    rank: int
    row: int
    name: str
    prediction: str | None
    confidence: float
    runner_up: str | None
    runner_up_confidence: float | None
    quality: str | None
    novelty: float | None
    true_label: str | None
    reason: str
    correction: CorrectionDocument | None
    links: ReviewLinks


class ReviewCounts(TypedDict):
    total: int
    open: int
    corrected: int


class ReviewDocument(TypedDict):
    """The least certain first; `next` is the address of the following page, or null."""

    items: list[ReviewItem]
    next: str | None
    counts: ReviewCounts
    classes: list[str]
    review_below: float


def review_item(job: Job, item: Item, correction: Correction | None) -> ReviewItem:
    address: dict[str, Any] = {"job_id": job.id, "row": item.row}
    return {
        "rank": item.rank,
        "row": item.row,
        "name": item.name,
        "prediction": item.prediction,
        "confidence": item.confidence,
        "runner_up": item.runner_up,
        "runner_up_confidence": item.runner_up_confidence,
        "quality": item.quality,
        "novelty": item.novelty,
        "true_label": item.true_label,
        "reason": _reason(job, item),
        "correction": _correction(correction) if correction else None,
        "links": {
            "self": url_for("api.reviews.get_review_item", **address),
            "picture": url_for("api.reviews.get_review_picture", **address) if item.has_picture else None,
            "model_input": url_for("api.reviews.get_review_picture", **address, view="model_input")
            if item.has_picture
            else None,
        },
    }


def review_counts(counts: Counts) -> ReviewCounts:
    return {"total": counts.total, "open": counts.open, "corrected": counts.corrected}


def _correction(correction: Correction) -> CorrectionDocument:
    return {"label": correction.label, "corrected_at": timestamp(correction.corrected_at)}


def _reason(job: Job, item: Item) -> str:
    """Why the answer is not accepted, in a sentence or two."""
    reasons = [QUALITIES.get(item.quality, item.quality)] if item.quality else []
    threshold = float((job.summary or {})["review_below"])
    if item.confidence <= threshold:
        reasons.append(f"Answers with a confidence of {threshold:.1%} or less are reviewed.".replace("%", " %"))
    return " ".join(reasons)
