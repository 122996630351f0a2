"""What only the real server shows: gunicorn over a socket, with bodies that do not end and headers that lie."""

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tenfold.trainer.data.datasets import Dataset
from tenfold.web.core.body_limits import LONG_LISTS, MAX_BODY_BYTES, TAKE_FILES
from tenfold.worker.db.records import Job
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tests import patient
from tests.reviews import classified, digits, untrained_model
from tests.waiting import until
from tests.web.auth.test_access import ROUTES
from tests.web.people import PASSWORD, Person, add_person
from tests.web.serving import WebProcess

LARGE = MAX_BODY_BYTES + 1


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, redis_database: Callable[[int], str]) -> Iterator[Services]:
    opened = Services.open(Settings(data=tmp_path_factory.mktemp("volume"), redis_url=redis_database(902)))
    migrate(opened.database)
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def person(services: Services) -> Person:
    return add_person(services, "anna", Scope.ADMIN)


@pytest.fixture(scope="module")
def reviewed(services: Services, mnist: Dataset) -> Job:
    untrained_model(services)
    return classified(services, digits(mnist, 3))


@pytest.fixture(scope="module")
def web(services: Services, person: Person) -> Iterator[WebProcess]:
    process = WebProcess(Path(services.settings.data), services.settings.redis_url, TENFOLD_LOG_FORMAT="json")
    process.start()
    yield process
    process.kill()


def on_the_volume(services: Services) -> int:
    return sum(path.stat().st_size for path in services.volume.uploads.iterdir())


def multipart(size: int) -> tuple[bytes, dict[str, str]]:
    begin = b'--b\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\n'
    return begin + b"x" * size + b"\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


def test_a_stranger_cannot_stream_a_file_to_the_sign_in_page(web: WebProcess, services: Services) -> None:
    """Of unknown length, so that the server cannot know beforehand: it stops reading soon, and writes nothing."""
    sent = 0
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        body, _ = multipart(0)
        chunk = b"x" * (1 << 20)
        connection.sendall(b"%x\r\n%s\r\n" % (len(body) - 9, body[:-9]))
        try:
            while sent < 1 << 30:
                connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                sent += len(chunk)
                assert on_the_volume(services) == 0
        except (ConnectionResetError, BrokenPipeError):
            pass

    assert sent < 1 << 28


def test_only_where_files_are_sent_may_a_body_be_large(web: WebProcess, services: Services, person: Person) -> None:
    small = [(method, path) for method, path, endpoint in routes() if endpoint not in TAKE_FILES | LONG_LISTS.keys()]
    body, headers = multipart(LARGE)
    # A connection on which a body was left unread is closed: each request has one of its own.
    with httpx.Client(base_url=web.url, headers={**headers, "Connection": "close"}) as client:
        for method, path in small:
            answer = client.request(method, path, content=body, headers=person.headers)
            assert answer.status_code in (401, 403, 404, 413), (method, path, answer.text)
        for method, path, endpoint in routes():
            stranger = client.request(method, path, content=body)
            assert stranger.status_code in (303, 401, 413), (method, path, endpoint)
        [(path, most)] = [(path, LONG_LISTS[endpoint]) for _, path, endpoint in routes() if endpoint in LONG_LISTS]
        assert client.post(path, json={"x": "x" * most}, headers=person.headers).status_code == 413
        assert client.post("/sign-in", data={"name": "anna", "password": "x" * LARGE}).status_code == 413
        json = client.post("/api/v1/trainings", json={"recipe": "x" * LARGE}, headers=person.headers)
        assert json.status_code == 413
        assert json.headers["Content-Type"] == "application/problem+json"

    assert on_the_volume(services) == 0


def routes() -> list[tuple[str, str, str]]:
    """Method, address and endpoint of each route that changes something."""
    return [
        (method, re.sub("<[^>]+>", "1", rule.rule), rule.endpoint)
        for method, rule in ROUTES
        if method not in ("GET", "HEAD", "OPTIONS")
    ]


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_number_that_no_database_holds_is_no_page(
    web: WebProcess, person: Person, reviewed: Job, number: int
) -> None:
    job = f"/jobs/{reviewed.id}"
    addresses = [
        ("GET", f"{job}/images/{number}"),
        ("GET", f"{job}/images/{number}/picture"),
        ("GET", f"{job}/images?after={number}"),
        ("GET", f"{job}/images/1?after={number}"),
        ("GET", f"{job}/review?rank={number}"),
        ("GET", f"{job}/review?rank=-{number}"),
        ("POST", f"{job}/review/{number}"),
        ("PUT", f"/api/v1{job}/review/{number}"),
        ("DELETE", f"/api/v1{job}/review/{number}"),
        ("GET", f"/api/v1{job}/review/{number}/picture"),
        ("GET", f"/api/v1{job}/review?cursor={number}"),
    ]
    with httpx.Client(base_url=web.url, headers=person.headers) as client:
        until(lambda: client.get(f"{job}/images").status_code == 200)
        statuses = {
            address: client.request(method, address, json={"label": "1"} if method == "PUT" else None).status_code
            for method, address in addresses
        }
        beside = client.get(f"{job}/images/1").status_code

    assert beside == 200
    assert statuses.pop(f"{job}/images/1?after={number}") == 200
    assert set(statuses.values()) <= {404, 405, 422}, statuses


def test_without_a_proxy_no_header_says_that_it_came_by_https_or_under_a_path(web: WebProcess, person: Person) -> None:
    """Gunicorn itself would believe these from this machine."""
    lies = [{"X-Forwarded-Proto": "https"}, {"X-Forwarded-Ssl": "on"}, {"X-Forwarded-Protocol": "ssl"}]
    for lie in lies:
        answer = patient.post(f"{web.url}/sign-in", data={"name": "anna", "password": PASSWORD}, headers=lie)
        assert "Secure" not in answer.headers["Set-Cookie"]
        assert "Strict-Transport-Security" not in answer.headers
    with socket.create_connection(("127.0.0.1", web.port)) as connection:
        connection.sendall(b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nSCRIPT_NAME: /jobs\r\nConnection: close\r\n\r\n")
        assert b"Location: /sign-in?next=/jobs" in b"".join(iter(lambda: connection.recv(4096), b""))


def test_gunicorns_own_setting_of_whom_to_believe_does_nothing(
    services: Services, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    process = WebProcess(Path(services.settings.data), services.settings.redis_url)
    process.start()
    try:
        answer = patient.get(f"{process.url}/sign-in", headers={"X-Forwarded-Proto": "https"})
        assert "Strict-Transport-Security" not in answer.headers
    finally:
        process.kill()
