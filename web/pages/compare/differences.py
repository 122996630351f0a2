"""The images on which compared models differ, as thumbnails, by who was right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from pydantic import ValidationError

from tenfold.web.api.comparisons import DifferenceFilter
from tenfold.web.api.documents.comparisons import DifferenceItem, difference_item
from tenfold.web.core.services import services
from tenfold.worker.comparisons.differences import Differences
from tenfold.worker.comparisons.results import open_differences, places_of
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission, WrongState
from tenfold.worker.jobs.finished import succeeded

blueprint = Blueprint("differences", __name__)

ON_A_PAGE = 60

# Of each group, on the page of the comparison.
SHOWN_OF_A_GROUP = 12


@dataclass(frozen=True)
class Group:
    """Images by who was right; `query` leads to all of them."""

    title: str
    query: dict[str, str]
    count: int
    items: Sequence[DifferenceItem]


@blueprint.get("/jobs/<job_id>/differences")
def index(job_id: str) -> str:
    """All of them, or those of `?right=` and `?wrong=`; `?cursor=` continues at that rank."""
    job = succeeded(services(), job_id, JobKind.COMPARISON)
    chosen, right, wrong = _filter(job)
    with open_differences(services(), job_id) as differences:
        found = differences.page(chosen.cursor, ON_A_PAGE + 1, right, wrong)
        groups = _groups(job, differences, 0)
        count, total = differences.count(right, wrong), differences.count()
    query = {name: ",".join(names) for name in ("right", "wrong") if (names := getattr(chosen, name))}
    return render_template(
        "compare/differences.html",
        job=job,
        items=[difference_item(job, each) for each in found[:ON_A_PAGE]],
        groups=groups,
        query=query,
        count=count,
        total=total,
        following=found[ON_A_PAGE].rank if len(found) > ON_A_PAGE else None,
    )


def groups_of(job: Job) -> list[Group]:
    """The first images of each group, for the page of the comparison; empty until it has succeeded."""
    try:
        with open_differences(services(), job.id) as differences:
            return _groups(job, differences, SHOWN_OF_A_GROUP)
    except WrongState:
        return []


def _groups(job: Job, differences: Differences, shown: int) -> list[Group]:
    models = (job.summary or {})["models"]
    names = [model["name"] for model in models]
    groups: list[tuple[str, dict[str, str], list[int], list[int]]] = []
    for place in range(1, len(names)):
        for right, wrong in ((0, place), (place, 0)):
            one = (names[right], names[wrong])
            title = f"{one[0]} right, {one[1]} wrong"
            groups.append((title, {"right": one[0], "wrong": one[1]}, [right], [wrong]))
    groups.append(("All wrong, but not alike", {"wrong": ",".join(names)}, [], list(range(len(names)))))
    return [
        Group(
            title,
            query,
            differences.count(right, wrong),
            [difference_item(job, each) for each in differences.page(0, shown, right, wrong)] if shown else [],
        )
        for title, query, right, wrong in groups
    ]


def _filter(job: Job) -> tuple[DifferenceFilter, list[int], list[int]]:
    """From the query; an invalid one means all images."""
    known: dict[str, Any] = {
        name: value for name, value in request.args.items() if name in ("right", "wrong", "cursor")
    }
    try:
        chosen = DifferenceFilter.model_validate(known)
        return chosen, places_of(job, "right", chosen.right), places_of(job, "wrong", chosen.wrong)
    except (ValidationError, InvalidSubmission):
        return DifferenceFilter(), [], []
