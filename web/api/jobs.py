"""`/jobs`: list, poll, cancel, retry, delete; and the lists of `/trainings`, `/sweeps` and the like."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from flask import Blueprint, Response, jsonify, request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from tenfold.trainer.architecture.plans import Flag
from tenfold.web.api.documents.jobs import JobDocument, JobList, job_document, job_item
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import NO_CONTENT, Answer, operation, queued
from tenfold.web.api.parts.answers import PageFilter, accepted, page_of
from tenfold.web.api.parts.job_answers import job_answers
from tenfold.web.api.parts.polling import long_poll_slots
from tenfold.web.core.services import services, settings
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs import submission

routes = Blueprint("jobs", __name__)

# Accepted in requests; the server's setting may cut it.
MAX_WAIT_SECONDS = 3600

# Sent as `Retry-After`.
RETRY_AFTER_SECONDS = {JobState.QUEUED: "2", JobState.RUNNING: "1"}


def _no_number(given: object) -> object:
    """Refuse numbers, which pydantic would take for seconds since 1970: times are RFC 3339."""
    if isinstance(given, str) and "-" not in given[1:]:
        raise ValueError("write times as 2026-11-21T10:15:00Z")
    return given


Time = Annotated[AwareDatetime, BeforeValidator(_no_number)]


class KindFilter(PageFilter):
    """Which jobs of one kind to list."""

    state: JobState | None = Field(None, description="Only jobs in this state.")
    mine: Flag = Field(False, description="Only your own jobs; while there are no users, all.")
    created_after: Time | None = Field(None, description="Only jobs submitted at this time or later.")
    created_before: Time | None = Field(None, description="Only jobs submitted before this time.")


class JobFilter(KindFilter):
    """Which jobs to list."""

    kind: JobKind | None = Field(None, description="Only jobs of this kind.")
    sweep: str | None = Field(None, max_length=26, description="Id of a sweep: its trials, which no other list has.")


class PollOptions(BaseModel):
    """How to poll one job."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(
        0,
        ge=0,
        le=MAX_WAIT_SECONDS,
        allow_inf_nan=False,
        description="Maximum seconds to wait for a change before answering; the setting "
        "TENFOLD_MAX_WAIT_SECONDS may cut it.",
    )


LISTED = [Answer(200, "A page.", JobList, {"items": [examples.JOB_ITEM], "next": None}, headers=("ETag",))]


@routes.get("/jobs")
@operation(
    "Jobs",
    "List the jobs",
    query=JobFilter,
    answers=LISTED,
)
def list_jobs() -> Response:
    """Jobs, the newest first; `next` is the address of the following page, or null. The trials of a sweep are listed
    with `?sweep=ID` only."""
    wanted = JobFilter.model_validate(request.args.to_dict())
    return _list(wanted, wanted.kind, wanted.sweep)


def list_of_kind(kind: JobKind) -> Response:
    """What `GET` of the collection that queues jobs of this kind answers."""
    return _list(KindFilter.model_validate(request.args.to_dict()), kind)


def _list(wanted: KindFilter, kind: JobKind | None, sweep: str | None = None) -> Response:
    found = services().jobs.list(
        kind=kind,
        state=wanted.state,
        parent=sweep,
        owner=services().owner if wanted.mine else None,
        created_after=_seconds(wanted.created_after),
        created_before=_seconds(wanted.created_before),
        before=wanted.cursor,
        limit=wanted.limit + 1,
    )
    page, following = page_of(found, wanted)
    answer: JobList = {"items": [job_item(job) for job in page], "next": following}
    return jsonify(answer)


@routes.get("/jobs/<job_id>")
@operation(
    "Jobs",
    "Poll a job",
    query=PollOptions,
    headers=("If-None-Match",),
    answers=[Answer(200, "The job.", JobDocument, examples.TRAINING_JOB, headers=("ETag", "Retry-After"))],
    problems=(404,),
)
def get_job(job_id: str) -> Response:
    """One job. With `?wait=SECONDS` the answer comes when the job differs from `If-None-Match` (without that header:
    when it has ended), at the latest after this time."""
    options = PollOptions.model_validate(request.args.to_dict()) if request.query_string else PollOptions()
    seconds = min(options.wait, settings().max_wait_seconds)
    answers, known = job_answers(), request.if_none_match
    answer = answers.get(job_id)

    def changed() -> bool:
        nonlocal answer
        answer = answers.get(job_id)
        return answer.state.final or (bool(known) and not known.contains_weak(answer.etag))

    if seconds and not changed():
        long_poll_slots().wait(changed, seconds)
    # Weak: compressed or not, the document has the same one.
    headers = {"ETag": f'W/"{answer.etag}"', "Cache-Control": "no-cache"}
    if answer.state in RETRY_AFTER_SECONDS:
        headers["Retry-After"] = RETRY_AFTER_SECONDS[answer.state]
    if known.contains_weak(answer.etag):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(answer.body, headers=headers, mimetype="application/json")


@routes.post("/jobs/<job_id>/cancel")
@operation(
    "Jobs",
    "Cancel a job",
    answers=[Answer(200, "The job, cancelled.", JobDocument, {**examples.TRAINING_JOB, "state": "cancelled"})],
    problems=(404, 409),
)
def cancel_job(job_id: str) -> Response:
    """Cancel an unfinished job; its worker stops within two seconds."""
    return jsonify(job_document(services().jobs.cancel(job_id), services().live))


@routes.post("/jobs/<job_id>/retry")
@operation("Jobs", "Retry a job", answers=queued(examples.TRAINING_JOB, JobDocument), problems=(404, 409))
def retry_job(job_id: str) -> Response:
    """Queue a failed or cancelled job again; finished parts are kept."""
    return accepted(submission.retry(services(), job_id))


@routes.delete("/jobs/<job_id>")
@operation("Jobs", "Delete a job", answers=NO_CONTENT, problems=(404, 409))
def delete_job(job_id: str) -> tuple[str, int]:
    """Delete a finished job and its files. A model that it trained stays."""
    submission.delete(services(), job_id)
    return "", 204


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
