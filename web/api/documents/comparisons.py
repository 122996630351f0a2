"""The images on which compared models differ."""

from flask import url_for
from typing_extensions import TypedDict

from tenfold.worker.comparisons.differences import Difference
from tenfold.worker.db.records import Job


class AnswerDocument(TypedDict):
    """A model's answer; `name` is its letter in the comparison."""

    name: str
    model: str
    prediction: str
    confidence: float
    right: bool


class DifferenceLinks(TypedDict):
    """`picture` is a thumbnail; null where none is kept."""

    picture: str | None


class DifferenceItem(TypedDict):
    """An image on which the models differ. `rank` counts from 0: first those that one model has right and another
    wrong, the surest mistakes first."""

    rank: int
    row: int
    name: str
    true_label: str
    answers: list[AnswerDocument]
    links: DifferenceLinks


class DifferencesDocument(TypedDict):
    """`next` is the address of the following page, or null; `count` is of all pages."""

    items: list[DifferenceItem]
    next: str | None
    count: int


def difference_item(job: Job, found: Difference) -> DifferenceItem:
    models = (job.summary or {})["models"]
    picture = url_for("api.comparisons.get_difference_picture", job_id=job.id, rank=found.rank)
    return {
        "rank": found.rank,
        "row": found.row,
        "name": found.name,
        "true_label": found.true_label,
        "answers": [
            {
                "name": model["name"],
                "model": model["model"],
                "prediction": answer.prediction,
                "confidence": answer.confidence,
                "right": answer.right,
            }
            for model, answer in zip(models, found.answers, strict=True)
        ],
        "links": {"picture": picture if found.has_picture else None},
    }
