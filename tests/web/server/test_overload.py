"""More requests at once than the server can answer: some are refused with `503` and when to come back, none is lost."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests import patient
from tests.waiting import PATIENCE_SECONDS, until
from tests.web.serving import WebProcess

CLIENTS = 24
REQUESTS_EACH = 10


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, redis_database: Callable[[int], str]) -> Iterator[WebProcess]:
    """One thread, and room for one request to wait for it."""
    settings = {"TENFOLD_WEB_THREADS": "1", "TENFOLD_MAX_WAITING_REQUESTS": "1"}
    process = WebProcess(tmp_path_factory.mktemp("small"), redis_database(999), **settings)
    process.start()
    yield process
    process.kill()


def crowd(web: WebProcess, path: str) -> list[httpx.Response]:
    """What many clients are answered that all ask at once."""

    def ask(_: int) -> list[httpx.Response]:
        with httpx.Client(base_url=web.url, timeout=PATIENCE_SECONDS) as http:
            return [http.request("GET", path) for _ in range(REQUESTS_EACH)]

    with ThreadPoolExecutor(CLIENTS) as clients:
        return [response for answers in clients.map(ask, range(CLIENTS)) for response in answers]


def test_what_is_too_much_is_refused_with_when_to_come_back_and_the_rest_answered(small: WebProcess) -> None:
    answers = crowd(small, "/api/v1/recipes")

    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 503}
    refusals = [answer for answer in answers if answer.status_code == 503]
    assert {int(refusal.headers["Retry-After"]) for refusal in refusals} == {2}
    assert {refusal.headers["Content-Type"] for refusal in refusals} == {"application/problem+json"}


def test_health_is_answered_through_it_all(small: WebProcess) -> None:
    with ThreadPoolExecutor(1) as beside:
        crowding = beside.submit(crowd, small, "/api/v1/recipes")
        health = crowd(small, "/api/v1/healthz")
        refused = any(answer.status_code == 503 for answer in crowding.result())

    assert {answer.status_code for answer in health} == {200}
    assert refused


def test_afterwards_it_is_as_before(small: WebProcess) -> None:
    crowd(small, "/api/v1/jobs")

    with httpx.Client(base_url=small.api, timeout=PATIENCE_SECONDS) as http:
        # The connections that the crowd has closed take a thread for a moment, each when the server notices it.
        until(lambda: {http.get("/jobs").status_code for _ in range(20)} == {200})
        assert http.post("/trainings", json={"recipe": "dropout-128"}).status_code == 202


def test_a_page_is_refused_in_words(small: WebProcess) -> None:
    refusal = next(answer for answer in crowd(small, "/train") if answer.status_code == 503)

    assert refusal.headers["Content-Type"].startswith("text/plain")
    assert "Try again in 2 seconds" in refusal.text


def test_connections_that_say_nothing_take_no_thread(small: WebProcess) -> None:
    silent = [socket.create_connection(("127.0.0.1", small.port)) for _ in range(10)]

    assert patient.get(f"{small.api}/recipes", timeout=PATIENCE_SECONDS).status_code == 200

    for connection in silent:
        connection.close()


def test_clients_that_do_not_go_when_they_are_done_stop_nobody(small: WebProcess) -> None:
    staying = [socket.create_connection(("127.0.0.1", small.port)) for _ in range(10)]
    for connection in staying:
        connection.sendall(b"GET /api/v1/healthz HTTP/1.0\r\n\r\n")

    assert patient.get(f"{small.api}/healthz", timeout=PATIENCE_SECONDS).status_code == 200

    for connection in staying:
        assert connection.recv(12) == b"HTTP/1.0 200"
        connection.close()
