"""What goes over the wire: compressed where it is worth it, in part where a part is asked for, not at all where nothing
has changed."""

import gzip
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient

from tenfold.web.api.parts.caching import MAX_COMPRESSED_BYTES
from tenfold.worker.services import Services

ROWS = b"row,name\n" + b"".join(b"%d,image.png\n" % row for row in range(2000))


@pytest.fixture
def job(api: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}).json
    return found


@pytest.fixture
def results(job: dict[str, Any], services: Services) -> str:
    """The address of a table."""
    (services.volume.job(job["id"]) / "results.csv").write_bytes(ROWS)
    return f"{job['links']['files']}/results.csv"


@pytest.mark.parametrize(("encoding", "decode"), [("gzip", gzip.decompress), ("br", brotli.decompress)])
@pytest.mark.parametrize("path", ["/api/v1/recipes", "/api/v1/openapi.json"])
def test_text_is_compressed(api: FlaskClient, path: str, encoding: str, decode: Any) -> None:
    plain = api.get(path)

    packed = api.get(path, headers={"Accept-Encoding": encoding})

    assert packed.headers["Content-Encoding"] == encoding
    assert len(packed.data) < len(plain.data) / 2
    assert decode(packed.data) == plain.data
    assert "Accept-Encoding" in packed.headers["Vary"]


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
@pytest.mark.parametrize("path", ["/api/v1/recipes", "/api/v1/jobs", "/api/v1/models", "/api/v1/datasets", "{job}"])
def test_what_has_not_changed_is_not_sent_again(
    api: FlaskClient, job: dict[str, Any], path: str, encoding: str
) -> None:
    path = path.format(job=job["links"]["self"])
    headers = {"Accept-Encoding": encoding}
    etag = api.get(path, headers=headers).headers["ETag"]

    again = api.get(path, headers=headers | {"If-None-Match": etag})

    assert again.status_code == 304
    assert again.data == b""


def test_a_table_is_compressed_whole_and_sent_as_it_lies_in_part(api: FlaskClient, results: str) -> None:
    whole = api.get(results, headers={"Accept-Encoding": "gzip"})
    assert whole.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(whole.data) == ROWS
    assert whole.content_type == "text/csv; charset=utf-8"
    assert whole.headers["Content-Disposition"].startswith("attachment")

    part = api.get(results, headers={"Accept-Encoding": "gzip", "Range": "bytes=4-7"})
    assert part.status_code == 206
    assert part.data == ROWS[4:8]
    assert "Content-Encoding" not in part.headers


def test_a_part_is_not_joined_to_a_compressed_whole(api: FlaskClient, results: str) -> None:
    packed = api.get(results, headers={"Accept-Encoding": "gzip"}).headers["ETag"]

    rest = api.get(results, headers={"Accept-Encoding": "gzip", "Range": "bytes=4-7", "If-Range": packed})

    assert rest.status_code == 200


def test_a_large_table_is_sent_as_it_lies(
    api: FlaskClient, results: str, job: dict[str, Any], services: Services
) -> None:
    path: Path = services.volume.job(job["id"]) / "results.csv"
    path.write_bytes(ROWS * (MAX_COMPRESSED_BYTES // len(ROWS) + 1))

    response = api.get(results, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in response.headers
    assert int(response.headers["Content-Length"]) == path.stat().st_size


def test_pages_are_not_compressed(api: FlaskClient) -> None:
    assert "Content-Encoding" not in api.get("/train", headers={"Accept-Encoding": "gzip"}).headers


def test_what_depends_on_who_has_signed_in_says_so(api: FlaskClient) -> None:
    assert "Cookie" in api.get("/api/v1/recipes").headers.getlist("Vary")
