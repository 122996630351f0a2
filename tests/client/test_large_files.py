"""Large files from the client and the command: in pieces, and on where they stopped."""

import hashlib
import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tenfold.cli import run
from tenfold.client import Client, ServerError
from tenfold.client.large_files import begin_upload
from tenfold.worker.services import Services
from tests.web.served import Gateway, served
from tests.web.serving import WebProcess

REQUEST_BYTES = 300_000


@pytest.fixture(autouse=True)
def what_is_large_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.client.large_files.LARGE_BYTES", 400_000)
    monkeypatch.setattr("tenfold.client.large_files.REQUEST_BYTES", REQUEST_BYTES)
    monkeypatch.setattr("tenfold.client.large_files.PAUSE_SECONDS", 0.05)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """More than is sent at once."""
    path = tmp_path / "scans.npz"
    path.write_bytes(os.urandom(1_000_000))
    return path


@pytest.fixture
def gateway(app: Flask) -> Gateway:
    return Gateway(app)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with served(gateway) as url, Client(url, retries=0) as client:
        yield client


def pieces_sent(gateway: Gateway) -> list[int]:
    sent = [request for request in gateway.requests if request["REQUEST_METHOD"] == "PATCH"]
    return [int(request["HTTP_UPLOAD_OFFSET"]) for request in sent]


def source(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"name": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_a_server_that_is_killed_meanwhile_is_waited_for(tmp_path: Path, redis_url: str, scans: Path) -> None:
    web = WebProcess(tmp_path / "data", redis_url)
    web.start()
    counted: list[int] = []
    kills: list[int] = []

    def kill_it_once(count: int) -> None:
        counted.append(count)
        if sum(counted) > 500_000 and not kills:
            kills.append(sum(counted))
            web.kill()
            web.start()

    try:
        with Client(web.url) as client:
            job = client.import_dataset("scans", scans, on_bytes=kill_it_once)
    finally:
        web.kill()

    assert kills
    assert job.document["source"] == source(scans)
    assert sum(counted) == scans.stat().st_size
    assert list((tmp_path / "data" / "uploads").iterdir()) == []


def test_what_was_answered_is_not_sent_again(gateway: Gateway, client: Client, scans: Path) -> None:
    lost: list[HTTPStatus] = []

    def lose_the_second_answer(count: int) -> None:
        if len(pieces_sent(gateway)) == 1 and not lost:
            lost.append(HTTPStatus.BAD_GATEWAY)
            gateway.lose = list(lost)

    client.import_dataset("scans", scans, on_bytes=lose_the_second_answer)

    assert pieces_sent(gateway) == [0, 300_000, 600_000, 900_000]


def test_a_small_file_is_sent_by_one_request(gateway: Gateway, client: Client, tmp_path: Path) -> None:
    small = tmp_path / "small.npz"
    small.write_bytes(bytes(400_000))

    client.import_dataset("small", small)

    assert [request["REQUEST_METHOD"] for request in gateway.requests] == ["POST"]


def test_an_upload_that_has_expired_is_told(client: Client, scans: Path) -> None:
    with pytest.raises(ServerError, match="There is no upload"):
        client.import_dataset("scans", scans, upload="01m7y99wtf1q6g3gcrsjzrqv9n")


def test_the_command_says_how_to_go_on_and_does(
    app: Flask,
    services: Services,
    scans: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The web stops answering after the second piece for longer than anybody waits."""
    monkeypatch.setattr("tenfold.client.large_files.AWAY_SECONDS", 0.1)
    gateway = Gateway(app)

    def away_after_two(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if len(pieces_sent(gateway)) >= 2:
            gateway.refuse = [(HTTPStatus.BAD_GATEWAY, [])]
        return gateway(environ, start_response)

    with served(away_after_two) as url:
        assert run(shlex.split(f"--server {url} dataset import scans {scans}")) == 4
    said = capfd.readouterr().err
    [kept] = services.volume.uploads.iterdir()
    assert f"600,000 of 1,000,000 bytes have arrived and are kept for a day. To go on: --upload {kept.name}" in said

    with served(app) as url:
        assert run(shlex.split(f"--server {url} dataset import scans {scans} --upload {kept.name}")) == 0

    [job] = services.jobs.list()
    assert services.jobs.get(job.id).source == source(scans)
    assert list(services.volume.uploads.iterdir()) == []


def test_an_upload_goes_on_only_with_a_file_of_its_size(client: Client, scans: Path, tmp_path: Path) -> None:
    upload = begin_upload(client, scans, scans.name)
    other = tmp_path / "other.npz"
    other.write_bytes(bytes(5))

    with pytest.raises(ValueError, match="is of a file of 1,000,000 bytes, this has 5"):
        client.import_dataset("scans", other, upload=upload)
    assert client.upload(upload)["received_bytes"] == 0
