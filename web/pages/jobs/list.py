"""The list of jobs, filtered by kind and state."""

from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from tenfold.web.api.documents.jobs import job_item
from tenfold.web.core.services import services
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState

blueprint = Blueprint("jobs", __name__)

JOBS_ON_A_PAGE = 25

Named = TypeVar("Named", bound=StrEnum)


@blueprint.get("/jobs")
def index() -> ResponseReturnValue:
    """Newest first, one page at a time."""
    kind, state = _chosen(JobKind, "kind"), _chosen(JobState, "state")
    found = services().jobs.list(kind=kind, state=state, before=request.args.get("cursor"), limit=JOBS_ON_A_PAGE + 1)
    page = found[:JOBS_ON_A_PAGE]
    return render_template(
        "jobs/list.html",
        jobs=[listed(job) for job in page],
        following=page[-1].id if len(found) > JOBS_ON_A_PAGE else None,
        kinds=list(JobKind),
        states=list(JobState),
        kind=kind,
        state=state,
    )


def listed(job: Job) -> dict[str, Any]:
    """A job as lists show it: the API's entry, with the name of its uploaded file."""
    return job_item(job) | {"file": (job.source or {}).get("name")}


def _chosen(names: type[Named], argument: str) -> Named | None:
    """The value of a query parameter; None if it is missing or unknown."""
    value = request.args.get(argument, "")
    return names(value) if value in set(names) else None
