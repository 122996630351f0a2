"""Webhooks, from the job's end to a receiver that checks the signature with Standard Webhooks' own library."""

import json
import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from tenfold.web.core.settings import WebSettings
from tenfold.web.local.supervisor import free_port
from tenfold.web.webhooks.connections import is_public
from tenfold.web.webhooks.sender import WebhookSender
from tenfold.worker.services import Services
from tests import patient
from tests.paths import ROOT
from tests.waiting import until
from tests.web.serving import WebProcess

GUIDE = ROOT / "docs" / "how-to" / "webhooks.md"


class Receiver:
    """A server that keeps what it gets, and answers with the statuses that it is told, then with 204."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.arrived = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                receiver.arrived.set()
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


@pytest.fixture
def sender(services: Services, tmp_path: Path) -> WebhookSender:
    """One that may send to this machine, where the receiver is."""
    return WebhookSender(services.deliveries, WebSettings(data=tmp_path, webhook_private_addresses=True))


def end_a_job(api: FlaskClient) -> str:
    job = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json
    api.post(f"{job['links']['self']}/cancel")
    return str(job["id"])


def deliveries(api: FlaskClient, services: Services) -> list[dict[str, Any]]:
    [webhook] = services.webhooks.list()
    found: list[dict[str, Any]] = api.get(f"/api/v1/webhooks/{webhook.id}/deliveries").json["items"]
    return found


def test_the_end_of_a_job_arrives_signed(
    api: FlaskClient, services: Services, sender: WebhookSender, receiver: Receiver
) -> None:
    webhook = services.webhooks.add(receiver.url, [], 0)
    job = end_a_job(api)

    assert sender.send_due() == 1
    assert sender.send_due() == 0

    [(headers, body)] = receiver.received
    event = Webhook(webhook.secret).verify(body, headers)
    assert event["type"] == "job.cancelled"
    assert event["data"]["id"] == job
    [delivery] = deliveries(api, services)
    assert (delivery["state"], delivery["attempts"], delivery["job"]) == ("delivered", 1, job)
    assert headers["webhook-id"] == delivery["id"]


def test_the_guides_receiver_takes_what_is_signed_and_refuses_what_is_not(
    api: FlaskClient, services: Services, sender: WebhookSender
) -> None:
    [example] = re.findall(r"^    ```python\n(.*?)^    ```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    port = free_port()
    webhook = services.webhooks.add(f"http://127.0.0.1:{port}/", [], 0)
    environment = os.environ | {"WEBHOOK_SECRET": webhook.secret, "PORT": str(port)}
    command = [sys.executable, "-c", textwrap.dedent(example)]
    job = end_a_job(api)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            forged = post_when_it_listens(f"http://127.0.0.1:{port}/", content=b"{}")
            assert sender.send_due() == 1
            assert receiver.stdout is not None
            printed = receiver.stdout.readline()
        finally:
            receiver.terminate()

    assert forged.status_code == 400
    assert printed.split()[:2] == ["job.cancelled", job]
    [delivery] = deliveries(api, services)
    assert delivery["state"] == "delivered"


def post_when_it_listens(url: str, content: bytes) -> httpx.Response:
    def post() -> httpx.Response | None:
        with suppress(httpx.ConnectError):
            return patient.post(url, content=content)
        return None

    return until(post)


def test_what_ended_while_no_web_was_there_is_told_by_the_next(
    api: FlaskClient, services: Services, receiver: Receiver, tmp_path: Path, redis_url: str
) -> None:
    services.webhooks.add(receiver.url, [], 0)
    job = end_a_job(api)
    web = WebProcess(tmp_path / "data", redis_url, TENFOLD_WEBHOOK_PRIVATE_ADDRESSES="true")

    web.start()
    try:
        assert receiver.arrived.wait(30)
    finally:
        web.kill()

    [(_, body)] = receiver.received
    assert json.loads(body)["data"]["id"] == job


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_tried_again_later(
    api: FlaskClient, services: Services, sender: WebhookSender, receiver: Receiver, status: int
) -> None:
    services.webhooks.add(receiver.url, [], 0)
    end_a_job(api)
    receiver.statuses = [status]

    sender.send_due()

    assert len(receiver.received) == 1  # a redirect is not followed
    [delivery] = deliveries(api, services)
    assert delivery["state"] == "pending"
    assert delivery["error"] == f"answered with {status}"
    assert delivery["next_attempt_at"] > delivery["created_at"]


def test_nothing_is_sent_into_the_local_network(
    api: FlaskClient, services: Services, receiver: Receiver, tmp_path: Path
) -> None:
    services.webhooks.add(receiver.url.replace("127.0.0.1", "localhost"), [], 0)
    end_a_job(api)

    WebhookSender(services.deliveries, WebSettings(data=tmp_path)).send_due()

    assert receiver.received == []
    [delivery] = deliveries(api, services)
    assert "not public" in delivery["error"]


def test_a_webhook_is_made_listed_and_removed_and_its_secret_shown_once(api: FlaskClient) -> None:
    made = api.post("/api/v1/webhooks", json={"url": "https://example.org/hook", "kinds": ["training"]})

    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    address = made.headers["Location"]
    assert "secret" not in api.get(address).json
    [listed] = api.get("/api/v1/webhooks").json["items"]
    assert listed == {name: value for name, value in made.json.items() if name != "secret"}
    assert api.delete(address).status_code == 204
    assert api.delete(address).status_code == 404
    assert api.get("/api/v1/webhooks").json == {"items": [], "next": None}


def test_deliveries_are_listed_by_cursor(api: FlaskClient, services: Services) -> None:
    webhook = services.webhooks.add("https://example.org/", [], 0)
    jobs = [end_a_job(api) for _ in range(3)]

    first = api.get(f"/api/v1/webhooks/{webhook.id}/deliveries?limit=2").json
    second = api.get(first["next"]).json

    assert [delivery["job"] for page in (first, second) for delivery in page["items"]] == jobs[::-1]
    assert second["next"] is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "example.org",
        "https://",
        "https://name:password@example.org/",
        "http://127.0.0.1:8000/",
        "http://localhost/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://example.org:port/",
        "http://example.org/\r\nHost: other",
    ],
)
def test_an_address_that_cannot_be_is_refused(api: FlaskClient, url: str) -> None:
    answer = api.post("/api/v1/webhooks", json={"url": url})

    assert answer.status_code == 422, json.dumps(answer.json)
    assert [error["field"] for error in answer.json["errors"]] == ["url"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public
