"""`/jobs`: list, poll, cancel, retry, delete."""

from typing import Any, cast

from flask import Response, current_app, jsonify, request, url_for
from pydantic import BaseModel, ConfigDict, Field

from web.api import api
from web.api.answers import accepted
from web.polling import WaitingRoom, answer_poll, etag_of
from web.representations import job_document, job_line
from web.services import services, settings
from worker import submissions
from worker.states import JobKind, JobState

WAITING_ROOM = "tenfold-waiting-room"

# How soon a poll without `?wait=` makes sense again.
RETRY_AFTER_SECONDS = {JobState.QUEUED: 2, JobState.RUNNING: 1}


class JobFilter(BaseModel):
    """Which jobs to list."""

    model_config = ConfigDict(extra="forbid")

    kind: JobKind | None = None
    state: JobState | None = None
    parent: str | None = Field(None, max_length=26)
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, max_length=26)


class PollOptions(BaseModel):
    """How to poll one job."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(0, ge=0, allow_inf_nan=False)


@api.get("/jobs")
def list_jobs() -> Response:
    """Jobs, the newest first; `next` is the address of the following page, or null.

    A sweep's trials are listed where it is named as the parent, and nowhere else.
    """
    wanted = JobFilter.model_validate(request.args.to_dict())
    jobs = services().jobs.list(
        kind=wanted.kind, state=wanted.state, parent=wanted.parent, before=wanted.cursor, limit=wanted.limit + 1
    )
    page, more = jobs[: wanted.limit], len(jobs) > wanted.limit
    following: str | None = None
    if more:
        query: dict[str, Any] = wanted.model_dump(mode="json", exclude_none=True) | {"cursor": page[-1].id}
        following = url_for("api.list_jobs", **query)
    return jsonify({"jobs": [job_line(job) for job in page], "next": following})


@api.get("/jobs/<job_id>")
def get_job(job_id: str) -> Response:
    """One job. With `?wait=SECONDS`, the answer comes when the job differs from `If-None-Match` (without that
    header: when it has ended), or when the time is up."""
    seconds = min(PollOptions.model_validate(request.args.to_dict()).wait, settings().max_wait_seconds)

    def look() -> dict[str, Any]:
        return job_document(services().jobs.get(job_id), services().live)

    document = look()
    known = request.if_none_match

    def changed() -> bool:
        nonlocal document
        document = look()
        return document["state"].final or (bool(known) and not known.contains(etag_of(document)))

    if seconds and not changed():
        room = cast(WaitingRoom, current_app.extensions[WAITING_ROOM])
        room.wait(changed, seconds)
    return answer_poll(document, retry_after_seconds=RETRY_AFTER_SECONDS.get(document["state"]))


@api.post("/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> Response:
    """End a job that has not ended; its worker stops within a second or two."""
    return jsonify(job_document(services().jobs.cancel(job_id), services().live))


@api.post("/jobs/<job_id>/retry")
def retry_job(job_id: str) -> Response:
    """Queue a failed or cancelled job again; what it had finished is kept."""
    return accepted(submissions.retry(services(), job_id))


@api.delete("/jobs/<job_id>")
def delete_job(job_id: str) -> tuple[str, int]:
    """Remove a job that has ended, and its files. A trained model stays in the registry."""
    submissions.delete(services(), job_id)
    return "", 204
