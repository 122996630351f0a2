"""The list of all jobs, by kind and state, and how a job looks in any list of the pages."""

from enum import StrEnum
from typing import Any, TypeVar

from flask import render_template, request

from web.pages import Page, pages
from web.representations import job_line
from web.services import services
from worker.records import Job
from worker.states import JobKind, JobState

JOBS_ON_A_PAGE = 25

Named = TypeVar("Named", bound=StrEnum)


@pages.get("/jobs")
def jobs() -> Page:
    """The newest first, a page at a time."""
    kind, state = _chosen(JobKind, "kind"), _chosen(JobState, "state")
    found = services().jobs.list(kind=kind, state=state, before=request.args.get("cursor"), limit=JOBS_ON_A_PAGE + 1)
    page = found[:JOBS_ON_A_PAGE]
    return render_template(
        "jobs.html",
        jobs=[listed(job) for job in page],
        following=page[-1].id if len(found) > JOBS_ON_A_PAGE else None,
        kinds=list(JobKind),
        states=list(JobState),
        kind=kind,
        state=state,
    )


def listed(job: Job) -> dict[str, Any]:
    """A job in a list, with the name of the file that it is about."""
    return job_line(job) | {"file": (job.source or {}).get("name")}


def _chosen(names: type[Named], argument: str) -> Named | None:
    """What the page's address asks for; what is no such name asks for nothing."""
    value = request.args.get(argument, "")
    return names(value) if value in set(names) else None
