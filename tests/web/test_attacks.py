"""What strangers send to the web itself: names, addresses, connections; and that no answer gives a secret away."""

import io
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from kombu.exceptions import ContentDisallowed
from kombu.serialization import dumps, registry

from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.queue import create_celery
from tenfold.worker.services import Services
from tests import patient
from tests.conftest import every_database
from tests.waiting import PATIENCE_SECONDS
from tests.web.auth.test_access import ROUTES
from tests.web.conftest import zip_bytes
from tests.web.people import HERE, PASSWORD, Person, add_person, sign_in
from tests.web.serving import WebProcess

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}


@pytest.fixture
def people(services: Services) -> dict[str, Person]:
    scopes = {"admin": Scope.ADMIN, "owner": Scope.SUBMIT, "other": Scope.SUBMIT}
    return {name: add_person(services, name, scope) for name, scope in scopes.items()}


@pytest.fixture
def opened(services: Services) -> Iterator[Any]:
    """Applications on the same volume with other settings."""
    made: list[Flask] = []

    def open_with(**changed: Any) -> Flask:
        made.append(create_app(services.settings.model_copy(update=changed)))
        return made[-1]

    yield open_with
    for application in made:
        application.extensions[EXTENSION].database.close()


def begin(api: FlaskClient, person: Person, length: int) -> Any:
    return api.post("/api/v1/uploads", headers=TUS | person.headers | {"Upload-Length": str(length)})


def test_an_upload_is_there_for_who_began_it_alone(
    api: FlaskClient, people: dict[str, Person], services: Services, model: str
) -> None:
    content = zip_bytes("1.png")
    address = begin(api, people["owner"], len(content)).headers["Location"]

    for stranger in (people["other"], people["admin"]):
        assert api.get(address, headers=stranger.headers).status_code == 404
        assert api.patch(address, data=content, headers=PIECE | stranger.headers).status_code == 404
        assert api.delete(address, headers=stranger.headers).status_code == 404
    assert api.patch(address, data=content, headers=PIECE | people["owner"].headers).status_code == 204
    upload = address.rsplit("/", 1)[1]

    def submit(person: Person) -> int:
        return api.post(f"/api/v1/classifications?upload={upload}", headers=person.headers).status_code

    assert submit(people["other"]) == 422
    assert submit(people["owner"]) == 202
    assert api.delete(address, headers=people["owner"].headers).status_code == 204


def test_what_is_announced_counts_for_the_quota_until_a_job_has_it(
    api: FlaskClient, people: dict[str, Person], services: Services, model: str
) -> None:
    services.users.change("owner", Scope.SUBMIT, max_jobs=None, max_bytes=1_000)
    content = zip_bytes("1.png")
    address = begin(api, people["owner"], len(content)).headers["Location"]
    api.patch(address, data=content, headers=PIECE | people["owner"].headers)

    assert begin(api, people["owner"], 950).status_code == 403
    upload = address.rsplit("/", 1)[1]
    assert api.post(f"/api/v1/classifications?upload={upload}", headers=people["owner"].headers).status_code == 202
    assert begin(api, people["owner"], 950 - len(content)).status_code == 201
    assert begin(api, people["owner"], 950).status_code == 403
    assert begin(api, people["other"], 950).status_code == 201


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("web:8000", 200),
        ("rebound.attacker.example:8000", 400),
        ("localhost.attacker.example", 400),
        ("attacker.example@localhost", 400),
        ("127.0.0.1.attacker.example", 400),
    ],
)
def test_while_nobody_signs_in_a_page_under_a_strange_name_gets_nothing(
    api: FlaskClient, host: str, status: int
) -> None:
    origin = {"Host": host, "Origin": f"http://{host}"}

    assert api.get("/api/v1/jobs", headers=origin).status_code == status
    if status == 400:
        assert api.post("/api/v1/trainings", json={"recipe": "cnn"}, headers=origin).status_code == 400
        assert api.get("/", headers=origin).status_code == 400
        assert api.get("/api/v1/healthz", headers=origin).status_code == 200


def test_where_names_are_listed_others_are_refused(opened: Any, people: dict[str, Person]) -> None:
    server = opened(trusted_hosts=["digits.example.org"]).test_client()

    def ask(host: str) -> int:
        return int(server.get("/sign-in", headers={"Host": host}).status_code)

    assert [ask(host) for host in ("digits.example.org", "10.0.0.7:8000", "localhost")] == [200, 200, 200]
    assert [ask(host) for host in ("other.example.org", "x.digits.example.org", "a b", "")] == [400] * 4


def test_no_address_in_an_answer_comes_from_the_host_that_was_sent(api: FlaskClient) -> None:
    answer = api.post("/api/v1/trainings", json={"recipe": "cnn"}, headers={"Host": "10.9.9.9"})

    assert "10.9.9.9" not in answer.text + str(answer.headers)


def test_headers_of_a_proxy_are_believed_only_where_one_is_said_to_be_there(
    opened: Any, people: dict[str, Person]
) -> None:
    sent = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "digits.example.org",
        "X-Forwarded-For": "203.0.113.9",
        "Origin": "https://digits.example.org",
    }
    form = {"name": "owner", "password": PASSWORD}

    assert opened().test_client().post("/sign-in", data=form, headers=sent).status_code == 403
    behind = opened(proxies=1).test_client().post("/sign-in", data=form, headers=sent)
    assert behind.status_code == 303
    assert "Secure" in behind.headers["Set-Cookie"]
    assert "max-age=" in behind.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in opened(proxies=1).test_client().get("/sign-in").headers


POLICY = ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy")


@pytest.mark.parametrize("who", ["nobody", "admin"])
def test_every_answer_carries_the_policy_and_no_secret(
    app: Flask, services: Services, people: dict[str, Person], model: str, who: str
) -> None:
    webhook = services.webhooks.add("https://example.org/", [], 0)
    services.jobs.submit("job-1", JobKind.TRAINING, {}, total=1, fingerprint="", owner="owner")
    secrets = [
        (services.volume.root / "session.key").read_text(),
        webhook.secret.removeprefix("whsec_"),
        services.users.get("admin").password_hash,
        *(person.key.rpartition("_")[2] for person in people.values()),
    ]
    browser = sign_in(app, "admin") if who == "admin" else app.test_client()
    values = {"job_id": "job-1", "name": "mnist", "model_id": model, "row": 0, "key_id": "tf_0", "filename": "theme.js"}
    values |= {
        "alias": "production",
        "rank": 0,
        "part": "test",
        "index": 0,
        "webhook_id": webhook.id,
        "upload_id": "x",
        "version": "0123456789abcdef",
    }
    for method, rule in ROUTES:
        if method != "GET" or rule.endpoint == "api.events.follow_job":
            continue
        url = app.url_map.bind("localhost").build(rule.endpoint, {name: values[name] for name in rule.arguments})
        answer = browser.get(url)
        shown = answer.text if answer.mimetype.startswith(("text/", "application/")) else ""
        assert answer.status_code < 500, url
        assert [name for name in POLICY if name not in answer.headers] == [], url
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        assert [secret for secret in secrets if secret in shown] == [], url


def test_downloads_are_never_pages(api: FlaskClient, services: Services, model: str) -> None:
    page = b"<script>alert(1)</script>"
    job = api.post("/api/v1/trainings", json={"recipe": "cnn"}).json["id"]
    for name in ("results.csv", "results.jsonl", "summary.json", "log.txt", "uncertain.png"):
        (services.volume.job(job) / name).write_bytes(page)
        answer = api.get(f"/api/v1/jobs/{job}/files/{name}")
        assert answer.status_code == 200
        assert answer.mimetype not in ("text/html", "image/svg+xml", "application/xhtml+xml")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert (answer.mimetype in ("image/png", "application/json", "text/plain")) != (
            "attachment" in answer.headers.get("Content-Disposition", "")
        )


@pytest.mark.parametrize(
    "name", ["../../tenfold.db", "..%2f..%2ftenfold.db", "%2e%2e/session.key", "/etc/passwd", "log.txt%00"]
)
def test_a_file_is_one_of_those_listed_and_never_a_path(api: FlaskClient, model: str, name: str) -> None:
    job = api.post("/api/v1/trainings", json={"recipe": "cnn"}).json["id"]

    assert api.get(f"/api/v1/jobs/{job}/files/{name}").status_code in (308, 404)
    assert api.get(f"/api/v1/models/{model}/files/{name}").status_code in (308, 404)
    assert api.get(f"/api/v1/jobs/{name}").status_code in (308, 404)
    assert api.get(f"/api/v1/datasets/{name}").status_code in (308, 404)


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0",
        "localhost.",
        "LOCALHOST",
        "x.localhost",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[fec0::1]",
        "[fe80::1]",
        "[2002:7f00:1::]",
    ],
)
def test_no_way_to_write_a_private_address_makes_a_webhook(api: FlaskClient, host: str) -> None:
    assert api.post("/api/v1/webhooks", json={"url": f"http://{host}:9/"}).status_code == 422


def test_a_message_that_is_no_json_is_never_unpacked(redis_url: str) -> None:
    """A pickle in the queue would run code in the worker."""
    celery = create_celery(redis_url)
    accepted = list(celery.conf.accept_content)
    assert accepted == ["json"]
    content_type, encoding, body = dumps({"any": "thing"}, serializer="pickle")

    with pytest.raises(ContentDisallowed):
        registry.loads(body, content_type, encoding, accept=accepted)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[" * 60_000, "application/json"),
        (b'{"epochs": ' + b"9" * 60_000 + b"}", "application/json"),
        (b'{"recipe": "\xff\xfe"}', "application/json"),
        (b'{"recipe": "\\ud800"}', "application/json"),
        (b'{"dataset": "a\\u0000b"}', "application/json"),
        (b'{"epochs": NaN}', "application/json"),
        (b"{}", "text/plain"),
    ],
    ids=["deep", "long number", "no UTF-8", "half a character", "NUL", "NaN", "type"],
)
def test_json_that_is_none_is_refused_in_words(api: FlaskClient, body: bytes, content_type: str) -> None:
    answer = api.post("/api/v1/trainings", data=body, content_type=content_type)

    assert answer.status_code in (400, 415, 422), answer.text
    assert answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"no parts", "multipart/form-data"),
        (b"no parts", "multipart/form-data; boundary="),
        (b"no parts", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data; name=file; filename=a.zip\r\n\r\nPK",
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\n" + b"X-Long: " + b"y" * 100_000 + b"\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (
            b"".join(b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" for _ in range(20_000)) + b"--x--",
            "multipart/form-data; boundary=x",
        ),
        (
            b"--x\r\nContent-Disposition: form-data; name=model\r\n\r\n" + b"m" * 900_000 + b"\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["no boundary", "empty boundary", "no part", "cut short", "long header", "many parts", "long field"],
)
def test_a_form_that_is_none_is_refused_and_leaves_nothing(
    api: FlaskClient, services: Services, model: str, body: bytes, content_type: str
) -> None:
    answer = api.post("/api/v1/classifications", data=body, content_type=content_type)

    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.json["detail"]
    assert not list(services.volume.uploads.iterdir())


def test_names_of_uploads_are_kept_without_what_cannot_be_shown(api: FlaskClient, model: str) -> None:
    form = {"file": (io.BytesIO(zip_bytes("1.png")), 'a\x1b[31m\u202e"><b>\x00.zip' + "x" * 5000)}

    source = api.post("/api/v1/classifications", data=form).json["source"]

    assert source["name"].isprintable()
    assert len(source["name"]) <= 255


@pytest.fixture
def web(tmp_path: Path, redis_url: str) -> Iterator[WebProcess]:
    process = WebProcess(tmp_path / "data", redis_url, TENFOLD_WEB_THREADS="3", TENFOLD_CLIENT_TIMEOUT_SECONDS="1")
    process.start()
    yield process
    process.kill()


HEADS = {
    "half a line": b"GET / HTT",
    "half a header": b"GET / HTTP/1.1\r\nHost: loc",
    "half a request": b"POST /api/v1/trainings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 500\r\n\r\n{",
    "half a chunk": b"POST /api/v1/classifications HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"ff\r\nPK",
    "half a form": b"POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n",
}


def test_clients_that_stop_half_way_do_not_stop_the_server(web: WebProcess) -> None:
    for head in HEADS.values():
        stalled = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(6)]
        for connection in stalled:
            connection.sendall(head)

        assert patient.get(f"{web.api}/healthz", timeout=PATIENCE_SECONDS).status_code == 200
        for connection in stalled:
            connection.close()


GET, POST = b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"POST /api/v1/classifications HTTP/1.1\r\nHost: localhost\r\n"

BAD_REQUESTS = {
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
    "length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "many headers": GET + b"X: y\r\n" * 5_000 + b"\r\n",
    "long header": GET + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    "folded header": GET + b"X: a\r\n b\r\n\r\n",
    "NUL in a header": GET + b"X: \0\r\n\r\n",
    "long line": b"GET /" + b"y" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),
}


def test_what_is_no_http_is_refused_and_the_next_is_answered(web: WebProcess) -> None:
    for said, request in BAD_REQUESTS.items():
        with socket.create_connection(("127.0.0.1", web.port), timeout=PATIENCE_SECONDS) as connection:
            answered = _answer(connection, request)
        assert answered == b"" or answered.split()[1][:1] == b"4", (said, answered[:200])
    assert patient.get(f"{web.api}/healthz", timeout=PATIENCE_SECONDS).status_code == 200


def _answer(connection: socket.socket, request: bytes) -> bytes:
    """What came back before the server closed; nothing where it closed at once."""
    try:
        connection.sendall(request)
        return connection.recv(65536)
    except (ConnectionError, TimeoutError):
        return b""


def test_every_form_of_every_page_refuses_another_site(app: Flask, people: dict[str, Person]) -> None:
    """Each route that changes something, also for administrators."""
    browser = sign_in(app, "admin")
    strange = ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}, {})
    for method, rule in ROUTES:
        if method in ("GET", "HEAD", "OPTIONS"):
            continue
        values = dict.fromkeys(rule.arguments, "x") | ({"row": 0} if "row" in rule.arguments else {})
        url = app.url_map.bind("localhost").build(rule.endpoint, values, method)
        answers = [browser.open(url, method=method, headers=headers).status_code for headers in strange]
        assert answers == [403] * len(strange), url
    assert browser.get("/", headers=HERE).status_code == 200


@every_database
def test_the_character_that_no_database_holds_is_refused_and_breaks_nothing(
    database_url: str | None, opened: Any
) -> None:
    server = opened(database_url=database_url).test_client()

    answers = [
        server.get("/api/v1/jobs/a%00b"),
        server.get("/api/v1/models/a%00b"),
        server.get("/jobs/a%00b"),
        server.post("/sign-in", data={"name": "a\0b", "password": PASSWORD}, headers=HERE),
        server.post("/api/v1/reviews", json={"classification": "a\0b"}),
    ]

    assert [answer.status_code for answer in answers if not 400 <= answer.status_code < 500] == []
    assert server.get("/api/v1/jobs").status_code == 200
