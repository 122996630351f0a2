"""`GET /jobs/{id}/events`: a job's progress as Server-Sent Events, until it has ended."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from flask import Response, request, stream_with_context
from werkzeug.exceptions import ServiceUnavailable

from web.api import api, examples
from web.api.operations import Answer, operation
from web.job_answers import JobAnswer, job_answers
from web.polling import CHECK_EVERY_SECONDS, waiting_room
from web.problems import with_code
from worker.errors import UnknownJob

# A comment after so long without an event shows proxies that the stream lives, and us whether somebody still reads it.
HEARTBEAT_SECONDS = 15

# Then the stream ends, and who still wants it connects again: so no forgotten one keeps its place.
LONGEST_STREAM_SECONDS = 300


@api.get("/jobs/<job_id>/events")
@operation(
    "Jobs",
    "Follow a job",
    headers=("Last-Event-ID",),
    answers=[
        Answer(200, "Events until the job has ended.", media_types=["text/event-stream"], example=examples.EVENTS),
        Answer(204, "The job has ended, and `Last-Event-ID` knows how: connect no more."),
    ],
    problems=(404, 503),
)
def follow_job(job_id: str) -> Response:
    """Server-Sent Events. `progress` comes whenever the job has changed, `end` when it has ended, `gone` when it was
    removed; data is the job as a poll answers it, and the id is its ETag.

    After `end` the stream closes, and after five minutes without; an `EventSource` then connects again by itself.
    Streams share their places with waiting polls (`TENFOLD_MAX_WAITING_POLLS`): where none is free the answer is `503`,
    and polling goes on.
    """

    answers = job_answers()

    def look() -> JobAnswer:
        return answers.get(job_id)

    now = look()
    known = request.headers.get("Last-Event-ID")
    if now.state.final and known == now.etag:
        return Response(status=HTTPStatus.NO_CONTENT)
    room = waiting_room()
    if not room.enter():
        refusal = ServiceUnavailable("As many polls and streams are open as there are places. Poll the job instead.")
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
    """An event for each change of what `look` sees, and comments in between."""
    started = spoke = clock()
    while clock() - started < LONGEST_STREAM_SECONDS:
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
