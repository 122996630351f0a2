"""`GET /jobs/{id}/events`: a job's progress as Server-Sent Events until it ends."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from flask import Blueprint, Response, request, stream_with_context
from werkzeug.exceptions import ServiceUnavailable

from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import Answer, operation
from tenfold.web.api.parts.job_answers import JobAnswer, job_answers
from tenfold.web.api.parts.polling import CHECK_EVERY_SECONDS, long_poll_slots
from tenfold.web.core.problems import with_code
from tenfold.worker.errors import UnknownJob

routes = Blueprint("events", __name__)

# Seconds without an event until a comment is sent: it keeps proxies from closing the stream, and detects closed ones.
HEARTBEAT_SECONDS = 15

# Then the stream is closed; clients reconnect. So no forgotten stream keeps its slot.
MAX_STREAM_SECONDS = 300


@routes.get("/jobs/<job_id>/events")
@operation(
    "Jobs",
    "Follow a job",
    headers=("Last-Event-ID",),
    answers=[
        Answer(200, "Events until the job has ended.", media_types=["text/event-stream"], example=examples.EVENTS),
        Answer(204, "The job has ended, and `Last-Event-ID` is its last event: do not reconnect."),
    ],
    problems=(404, 503),
)
def follow_job(job_id: str) -> Response:
    """Server-Sent Events: `progress` when the job has changed, `end` when it has ended, `gone` when it was deleted. The
    data is the job as a poll answers it, the id its ETag.

    The stream closes after `end`, or after five minutes; an `EventSource` then reconnects by itself. Streams and
    waiting polls share `TENFOLD_MAX_WAITING_POLLS` slots: if none is free the answer is `503`; poll instead.
    """

    answers = job_answers()

    def look() -> JobAnswer:
        return answers.get(job_id)

    now = look()
    known = request.headers.get("Last-Event-ID")
    if now.state.final and known == now.etag:
        return Response(status=HTTPStatus.NO_CONTENT)
    room = long_poll_slots()
    if not room.enter():
        refusal = ServiceUnavailable("All slots for streams and waiting polls are taken. Poll the job instead.")
        raise with_code(refusal, "too_many_streams")
    response = Response(stream_with_context(events(look, known)), mimetype="text/event-stream")
    response.call_on_close(room.leave)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def events(
    look: Callable[[], JobAnswer],
    known: str | None,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """An event for each change of `look()`, and comments in between."""
    started = spoke = clock()
    while clock() - started < MAX_STREAM_SECONDS:
        try:
            answer = look()
        except UnknownJob:
            yield "event: gone\ndata: {}\n\n"
            return
        if answer.etag != known:
            known, spoke = answer.etag, clock()
            name = "end" if answer.state.final else "progress"
            yield f"id: {answer.etag}\nevent: {name}\ndata: {answer.body.decode()}\n\n"
        elif clock() - spoke >= HEARTBEAT_SECONDS:
            spoke = clock()
            yield ": still here\n\n"
        if answer.state.final:
            return
        sleep(CHECK_EVERY_SECONDS)
