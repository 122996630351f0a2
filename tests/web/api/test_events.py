"""Server-Sent Events: a job's progress as it comes, to those for whom there is a place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenfold.web.api.events import HEARTBEAT_SECONDS, MAX_STREAM_SECONDS, events
from tenfold.web.api.parts.job_answers import JobAnswer
from tenfold.worker.db.states import JobState
from tenfold.worker.errors import UnknownJob
from tests import patient
from tests.conftest import Clock
from tests.waiting import PATIENCE_SECONDS
from tests.web.serving import WebProcess


@pytest.fixture
def web(tmp_path: Path, redis_url: str) -> Iterator[WebProcess]:
    process = WebProcess(tmp_path / "data", redis_url, TENFOLD_MAX_WAITING_POLLS="1")
    process.start()
    yield process
    process.kill()


def read(stream: Iterator[str]) -> dict[str, Any]:
    """The next event of a stream of lines."""
    event: dict[str, Any] = {}
    for line in stream:
        if not line and event:
            return event
        name, _, value = line.partition(": ")
        if name:
            event[name] = json.loads(value) if name == "data" else value
    return event


def test_a_job_is_followed_from_progress_to_its_end_in_the_one_place_that_there_is(
    web: WebProcess, tmp_path: Path
) -> None:
    job = patient.post(f"{web.api}/trainings", json={"recipe": "dropout-128"}).json()
    address = f"{web.url}{job['links']['events']}"

    assert patient.head(address).status_code == 200  # and takes no place

    with patient.stream("GET", address, timeout=PATIENCE_SECONDS) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        lines = response.iter_lines()
        first = read(lines)
        assert (first["event"], first["data"]["state"]) == ("progress", "queued")

        refused = patient.get(address)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0

        patient.post(f"{web.url}{job['links']['self']}/cancel")
        last = read(lines)
        assert (last["event"], last["data"]["state"]) == ("end", "cancelled")
        assert read(lines) == {}

    assert patient.get(address, headers={"Last-Event-ID": first["id"]}).status_code == 200  # the place is free again
    assert patient.get(address, headers={"Last-Event-ID": last["id"]}).status_code == 204


def test_what_was_received_is_not_told_again(clock: Clock) -> None:
    queued, cancelled = [JobAnswer(state, state, b"{}") for state in (JobState.QUEUED, JobState.CANCELLED)]
    seen: Any = iter([queued, queued, cancelled])

    said = list(events(lambda: next(seen), queued.etag, clock=clock, sleep=clock.advance))

    assert [line.split("\n")[1] for line in said] == ["event: end"]


def test_a_quiet_stream_shows_that_it_lives_and_ends_after_a_while(clock: Clock) -> None:
    def look() -> JobAnswer:
        return JobAnswer(JobState.RUNNING, "1", b"{}")

    said = list(events(look, None, clock=clock, sleep=clock.advance))

    assert said[0].startswith("id: ")
    assert set(said[1:]) == {": still here\n\n"}
    assert len(said) - 1 == (MAX_STREAM_SECONDS - 1) // HEARTBEAT_SECONDS


def test_a_job_that_is_removed_ends_the_stream(clock: Clock) -> None:
    def look() -> Any:
        raise UnknownJob

    assert list(events(look, None, clock=clock, sleep=clock.advance)) == ["event: gone\ndata: {}\n\n"]
