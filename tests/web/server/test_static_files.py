"""Static files: kept for good under the hash of their content, and requested again without."""

import re
import shutil
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from tenfold.web.auth.permissions import NEEDS
from tenfold.web.server.static_files import hash_of_folder
from tests.paths import ROOT

GOOD = "public, max-age=31536000, immutable"

STATIC = ROOT / "web" / "static"


@pytest.fixture
def version() -> str:
    return hash_of_folder(STATIC)


def addresses(page: str) -> set[str]:
    """What a page loads."""
    return set(re.findall(r'(?:src|href)="(/(?:static|bootstrap)/[^"]+)"', page))


@pytest.mark.parametrize("page", ["/", "/classify", "/train", "/predict", "/jobs", "/compare", "/api/"])
def test_what_a_page_loads_is_kept_for_good(page: str, api: FlaskClient, model: str) -> None:
    found = addresses(api.get(page).text)

    assert len(found) >= 4
    for address in found:
        answer = api.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, GOOD), address
        again = api.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.headers["Cache-Control"]) == (304, GOOD), address


@pytest.mark.parametrize("script", sorted(path.name for path in STATIC.glob("*.js")))
def test_what_a_script_imports_is_kept_for_good_too(script: str, api: FlaskClient, version: str) -> None:
    code = api.get(f"/static/{version}/{script}").text

    for imported in re.findall(r'^(?:import|export) .*?"([^"]+)";$', code, re.MULTILINE):
        assert imported.startswith("./")
        assert api.get(f"/static/{version}/{imported[2:]}").headers["Cache-Control"] == GOOD


@pytest.mark.parametrize(
    "address",
    [
        "/static/tenfold.css",
        "/static/0123456789abcdef/tenfold.css",
        "/bootstrap/static/css/bootstrap.min.css",
        "/bootstrap/static/css/bootstrap.min.css?v=0123456789abcdef",
    ],
)
def test_without_its_hash_a_file_is_asked_for_anew_each_time(address: str, api: FlaskClient) -> None:
    """Another hash is that of another version, whose page a replica may have sent in the course of an upgrade."""
    answer = api.get(address)

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert api.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("name", ["nosuch.css", "../app.py", "%2e%2e/app.py"])
def test_what_is_not_there_is_not_served(name: str, api: FlaskClient, version: str) -> None:
    for folder in (f"/static/{version}", "/static", "/bootstrap/static"):
        assert api.get(f"{folder}/{name}").status_code == 404


def test_the_hash_is_that_of_names_and_contents(tmp_path: Path, version: str) -> None:
    copy = tmp_path / "static"
    shutil.copytree(STATIC, copy)
    assert hash_of_folder(copy) == version

    (copy / "pad.js").write_text("// another\n")
    changed = hash_of_folder(copy)
    (copy / "pad.js").rename(copy / "pen.js")

    assert len({version, changed, hash_of_folder(copy)}) == 3


def test_every_address_of_a_static_file_is_open_to_all(app: Flask, version: str) -> None:
    assert NEEDS["static"] is NEEDS["bootstrap.static"]
    with app.test_request_context():
        assert url_for("static", filename="pad.js") == f"/static/{version}/pad.js"
