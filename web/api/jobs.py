"""`/jobs`: list, poll, cancel, retry, delete."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from flask import Response, jsonify, request, url_for
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from trainer.plans import Flag
from web.api import api, examples
from web.api.answers import accepted
from web.api.operations import NO_CONTENT, Answer, operation, queued
from web.documents import JobDocument, JobList
from web.job_answers import job_answers
from web.polling import waiting_room
from web.representations import job_document, job_line
from web.services import services, settings
from worker import submissions
from worker.states import JobKind, JobState

# What a poll may ask for, whatever the server's setting is.
MAX_WAIT_SECONDS = 3600

# How soon a poll without `?wait=` makes sense again.
RETRY_AFTER_SECONDS = {JobState.QUEUED: "2", JobState.RUNNING: "1"}


def _no_number(given: object) -> object:
    """Pydantic would take a number for seconds since 1970; the API has one way of writing times."""
    if isinstance(given, str) and "-" not in given[1:]:
        raise ValueError("write a time as 2026-11-21T10:15:00Z")
    return given


Time = Annotated[AwareDatetime, BeforeValidator(_no_number)]


class JobFilter(BaseModel):
    """Which jobs to list."""

    model_config = ConfigDict(extra="forbid")

    kind: JobKind | None = Field(None, description="Only jobs of this kind.")
    state: JobState | None = Field(None, description="Only jobs in this state.")
    parent: str | None = Field(None, max_length=26, description="Id of a sweep, whose trials are listed.")
    mine: Flag = Field(False, description="Only your own jobs; while there are no users, all.")
    created_after: Time | None = Field(None, description="Only jobs submitted at this time or later.")
    created_before: Time | None = Field(None, description="Only jobs submitted before this time.")
    limit: int = Field(50, ge=1, le=500, description="Most jobs on a page.")
    cursor: str | None = Field(None, max_length=26, description="As `next` of the page before has it.")


class PollOptions(BaseModel):
    """How to poll one job."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(
        0,
        ge=0,
        le=MAX_WAIT_SECONDS,
        allow_inf_nan=False,
        description="Most seconds to hold the answer back until something has changed. The server's setting "
        "TENFOLD_MAX_WAIT_SECONDS may make it less.",
    )


@api.get("/jobs")
@operation(
    "Jobs",
    "List the jobs",
    query=JobFilter,
    answers=[Answer(200, "A page.", JobList, {"jobs": [examples.JOB_LINE], "next": None}, headers=("ETag",))],
)
def list_jobs() -> Response:
    """Jobs, the newest first; `next` is the address of the following page, or null.

    A sweep's trials are listed where it is named as the parent, and nowhere else.
    """
    wanted = JobFilter.model_validate(request.args.to_dict())
    jobs = services().jobs.list(
        kind=wanted.kind,
        state=wanted.state,
        parent=wanted.parent,
        owner=services().owner if wanted.mine else None,
        created_after=_seconds(wanted.created_after),
        created_before=_seconds(wanted.created_before),
        before=wanted.cursor,
        limit=wanted.limit + 1,
    )
    page, more = jobs[: wanted.limit], len(jobs) > wanted.limit
    following: str | None = None
    if more:
        query: dict[str, Any] = wanted.model_dump(mode="json", exclude_defaults=True) | {"cursor": page[-1].id}
        following = url_for("api.list_jobs", **query)
    answer: JobList = {"jobs": [job_line(job) for job in page], "next": following}
    return jsonify(answer)


@api.get("/jobs/<job_id>")
@operation(
    "Jobs",
    "Poll a job",
    query=PollOptions,
    headers=("If-None-Match",),
    answers=[Answer(200, "The job.", JobDocument, examples.TRAINING_JOB, headers=("ETag", "Retry-After"))],
    problems=(404,),
)
def get_job(job_id: str) -> Response:
    """One job. With `?wait=SECONDS`, the answer comes when the job differs from `If-None-Match` (without that
    header: when it has ended), or when the time is up."""
    options = PollOptions.model_validate(request.args.to_dict()) if request.query_string else PollOptions()
    seconds = min(options.wait, settings().max_wait_seconds)
    answers, known = job_answers(), request.if_none_match
    answer = answers.get(job_id)

    def changed() -> bool:
        nonlocal answer
        answer = answers.get(job_id)
        return answer.state.final or (bool(known) and not known.contains_weak(answer.etag))

    if seconds and not changed():
        waiting_room().wait(changed, seconds)
    # The ETag is weak: it names what the document says, however it is compressed on its way.
    headers = {"ETag": f'W/"{answer.etag}"', "Cache-Control": "no-cache"}
    if answer.state in RETRY_AFTER_SECONDS:
        headers["Retry-After"] = RETRY_AFTER_SECONDS[answer.state]
    if known.contains_weak(answer.etag):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(answer.body, headers=headers, mimetype="application/json")


@api.post("/jobs/<job_id>/cancel")
@operation(
    "Jobs",
    "Cancel a job",
    answers=[Answer(200, "The job, cancelled.", JobDocument, {**examples.TRAINING_JOB, "state": "cancelled"})],
    problems=(404, 409),
)
def cancel_job(job_id: str) -> Response:
    """End a job that has not ended; its worker stops within a second or two."""
    return jsonify(job_document(services().jobs.cancel(job_id), services().live))


@api.post("/jobs/<job_id>/retry")
@operation("Jobs", "Try a job again", answers=queued(examples.TRAINING_JOB, JobDocument), problems=(404, 409))
def retry_job(job_id: str) -> Response:
    """Queue a failed or cancelled job again; what it had finished is kept."""
    return accepted(submissions.retry(services(), job_id))


@api.delete("/jobs/<job_id>")
@operation("Jobs", "Remove a job", answers=NO_CONTENT, problems=(404, 409))
def delete_job(job_id: str) -> tuple[str, int]:
    """Remove a job that has ended, and its files. A trained model stays in the registry."""
    submissions.delete(services(), job_id)
    return "", 204


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
