"""How the items of a review look in the API's JSON, and what its pages say of them."""

from typing import Any

from flask import url_for

from web.documents import CorrectionDocument, ReviewCounts, ReviewItem
from web.qualities import QUALITIES
from web.representations import timestamp
from worker.records import Correction, Job
from worker.review_queue import Item
from worker.reviews import Counts


def item_document(job: Job, item: Item, correction: Correction | None) -> ReviewItem:
    """One answer to review; `correction` is null where nobody has looked at it yet."""
    place: dict[str, Any] = {"job_id": job.id, "row": item.row}
    return {
        "place": item.place,
        "row": item.row,
        "name": item.name,
        "label": item.label,
        "confidence": item.confidence,
        "runner_up": item.runner_up,
        "runner_up_confidence": item.runner_up_confidence,
        "quality": item.quality,
        "novelty": item.novelty,
        "truth": item.truth,
        "reason": _reason(job, item),
        "correction": _said(correction) if correction else None,
        "links": {
            "self": url_for("api.put_correction", **place),
            "picture": url_for("api.get_review_picture", **place) if item.has_picture else None,
            "seen": url_for("api.get_review_picture", **place, seen="model") if item.has_picture else None,
        },
    }


def _said(correction: Correction) -> CorrectionDocument:
    return {"label": correction.label, "corrected_at": timestamp(correction.corrected_at)}


def counts_document(counts: Counts) -> ReviewCounts:
    return {"total": counts.total, "open": counts.open, "corrected": counts.corrected}


def _reason(job: Job, item: Item) -> str:
    """Why an answer is not accepted, in a sentence or two."""
    said = [QUALITIES[item.quality]] if item.quality else []
    threshold = float((job.summary or {})["review_below"])
    if item.confidence <= threshold:
        said.append(f"Answers of up to {threshold:.1%} confidence are reviewed.".replace("%", " %"))
    return " ".join(said)
