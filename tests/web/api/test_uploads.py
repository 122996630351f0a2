"""Resumable uploads, by tus' own Python client against the real server, and by hand where a client would not err."""

import hashlib
import os
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from tusclient.client import TusClient

from tenfold.worker.services import Services
from tenfold.worker.uploads.resumable import PartialUploadStore
from tests import patient
from tests.web.conftest import zip_bytes
from tests.web.serving import WebProcess

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def web(tmp_path: Path, redis_url: str) -> Iterator[WebProcess]:
    process = WebProcess(tmp_path / "data", redis_url)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A zip of ten megabytes that do not compress."""
    path = tmp_path / "scans.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(10):
            file.writestr(f"{number}.png", os.urandom(1_000_000))
    return path


def begin(api: FlaskClient, content: bytes, name: str = "") -> str:
    metadata = {"Upload-Metadata": f"filename {name}"} if name else {}
    response = api.post("/api/v1/uploads", headers=TUS | {"Upload-Length": str(len(content))} | metadata)
    assert response.status_code == 201, response.text
    return response.headers["Location"]


def send(api: FlaskClient, address: str, content: bytes, offset: int = 0) -> int:
    return api.patch(address, data=content, headers=PIECE | {"Upload-Offset": str(offset)}).status_code


def test_an_upload_goes_on_after_the_server_was_killed_and_becomes_a_data_set(web: WebProcess, archive: Path) -> None:
    uploader = TusClient(f"{web.api}/uploads").uploader(
        str(archive), chunk_size=1_000_000, metadata={"filename": "scans.zip"}
    )
    uploader.upload(stop_at=4_000_000)
    web.kill()
    web.start()

    again = TusClient(f"{web.api}/uploads").uploader(str(archive), url=uploader.url, chunk_size=1_000_000)
    assert again.get_offset() == 4_000_000
    again.upload()

    upload = uploader.url.rsplit("/", 1)[1]
    job = patient.post(f"{web.api}/datasets", params={"name": "scans", "upload": upload}).json()
    assert job["source"] == {
        "name": "scans.zip",
        "bytes": archive.stat().st_size,
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
    }


def test_what_has_arrived_when_the_connection_breaks_off_is_kept(web: WebProcess) -> None:
    address = patient.post(f"{web.api}/uploads", headers=TUS | {"Upload-Length": "1000000"}).headers["Location"]
    with socket.create_connection(("127.0.0.1", web.port)) as connection:
        head = [f"PATCH {address} HTTP/1.1", "Host: here", "Content-Length: 1000000", "Upload-Offset: 0"]
        head += [f"{name}: {value}" for name, value in PIECE.items()]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + bytes(300_000))

    offset = 0
    while offset < 300_000:  # until the server has noticed
        offset = int(patient.head(f"{web.url}{address}").headers["Upload-Offset"])
    rest = patient.patch(f"{web.url}{address}", headers=PIECE | {"Upload-Offset": "300000"}, content=bytes(700_000))

    assert rest.status_code == 204
    assert rest.headers["Upload-Offset"] == "1000000"


def test_an_upload_is_classified_under_its_own_name_as_often_as_one_likes(
    api: FlaskClient, services: Services, model: str
) -> None:
    content = zip_bytes("1.png", "2.png")
    address = begin(api, content, name="c2NhbnMuemlw")
    assert send(api, address, content[:20]) == 204
    assert send(api, address, content[20:], offset=20) == 204
    upload = address.rsplit("/", 1)[1]

    jobs = [api.post(f"/api/v1/classifications?upload={upload}").json for _ in range(2)]

    for job in jobs:
        assert job["source"]["name"] == "scans.zip"
        assert services.volume.archive(job["id"]).read_bytes() == content
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    assert list(services.volume.uploads.iterdir()) == []


def test_an_upload_survives_a_submission_that_is_refused(api: FlaskClient, services: Services, model: str) -> None:
    content = zip_bytes("1.png")
    address = begin(api, content)
    send(api, address, content)
    upload = address.rsplit("/", 1)[1]

    assert api.post(f"/api/v1/classifications?upload={upload}&model=no-such").status_code == 422
    assert api.post(f"/api/v1/classifications?upload={upload}").status_code == 202
    assert [path.name for path in services.volume.uploads.iterdir()] == [upload]


@pytest.mark.parametrize(
    ("query", "body", "says"),
    [
        ("upload={upload}", b"", "2 of 21 bytes"),
        ("upload=no-such", b"", "no upload 'no-such'"),
        ("upload=../../tenfold.db", b"", "no upload"),
        ("upload={upload}", b"a file as well", "not both"),
        ("upload={upload}&directory=scans", b"", "not both"),
    ],
)
def test_an_upload_that_cannot_be_submitted_says_why(
    api: FlaskClient, model: str, query: str, body: bytes, says: str
) -> None:
    address = begin(api, b"x" * 21)
    send(api, address, b"xx")

    answer = api.post(f"/api/v1/classifications?{query.format(upload=address.rsplit('/', 1)[1])}", data=body)

    assert answer.status_code == 422
    assert says in answer.json["detail"]


def test_a_piece_that_does_not_fit_is_refused(api: FlaskClient) -> None:
    address = begin(api, b"x" * 10)

    assert send(api, address, b"xx", offset=5) == 409
    assert send(api, address, b"x" * 11) == 413
    assert api.head(address).headers["Upload-Offset"] == "10"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "10"}, 412),
        ({"Upload-Length": "10", "Tus-Resumable": "0.2.2"}, 412),
        (TUS, 400),
        (TUS | {"Upload-Length": "-1"}, 400),
        (TUS | {"Upload-Length": "²"}, 400),
        (TUS | {"Upload-Length": "2000001"}, 413),
        (TUS | {"Upload-Length": "10", "Upload-Metadata": "filename %%%"}, 400),
    ],
)
def test_a_bad_beginning_is_refused(api: FlaskClient, services: Services, headers: dict[str, str], status: int) -> None:
    answer = api.post("/api/v1/uploads", headers=headers)

    assert answer.status_code == status
    if status == 412:
        assert answer.headers["Tus-Version"] == "1.0.0"
    assert list(services.volume.uploads.iterdir()) == []


def test_a_client_is_told_what_is_spoken_here(api: FlaskClient) -> None:
    answer = api.options("/api/v1/uploads")

    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == "2000000"
    assert "creation" in answer.headers["Tus-Extension"]


def test_what_nobody_goes_on_with_is_removed(services: Services) -> None:
    uploads = PartialUploadStore(services.volume.uploads, expiry_seconds=60)
    old, new = uploads.begin("old.zip", 10), uploads.begin("new.zip", 10)
    broken_off = services.volume.uploads / "0123.part"
    broken_off.touch()
    for path in (broken_off, services.volume.uploads / old.id / "content"):
        os.utime(path, (0, new.touched_at - 61))

    removed = uploads.remove_expired(now=new.touched_at)

    assert sorted(removed) == sorted([old.id, "0123.part"])
    assert [path.name for path in services.volume.uploads.iterdir()] == [new.id]


def test_uploads_are_listed_with_how_much_of_each_has_arrived(api: FlaskClient) -> None:
    empty, started = begin(api, b"123"), begin(api, b"12345")
    send(api, started, b"12")

    listed = {upload["links"]["self"]: upload for upload in api.get("/api/v1/uploads").json["items"]}

    assert {address: (upload["received_bytes"], upload["bytes"]) for address, upload in listed.items()} == {
        empty: (0, 3),
        started: (2, 5),
    }
