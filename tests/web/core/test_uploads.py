"""What can be submitted for classification: archives, loose images, a directory of the inbox; and what cannot."""

import io
import zipfile
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tenfold.web.app import create_app
from tenfold.web.core.settings import WebSettings
from tenfold.web.core.uploads import UploadRequest
from tenfold.worker.db.records import Job
from tenfold.worker.services import Services
from tests.sources import commit_outputs
from tests.web.conftest import zip_bytes

PNG = b"\x89PNG\r\n\x1a\n and pixels"
FILES = {"7/a.png": PNG, "8/b.png": PNG + b" of another", "notes.txt": b"no image"}


def post(api: FlaskClient, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    """Send files of these names as a form, as `curl -F` and browsers do."""
    parts = [(io.BytesIO(data), name) for name, data in files]
    return api.post("/api/v1/classifications", data={"file": parts, **fields}, content_type="multipart/form-data")


def accepted(response: TestResponse, services: Services) -> Job:
    assert response.status_code == 202, response.json
    return services.jobs.get(response.json["id"])


def packed(services: Services, job: Job) -> dict[str, bytes]:
    with zipfile.ZipFile(services.volume.archive(job.id)) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def refusal(response: TestResponse) -> tuple[str, str]:
    assert response.status_code == 422, response.text
    [error] = response.json["errors"]
    return error["field"], error["message"]


def nothing_left(services: Services) -> bool:
    return not list(services.volume.uploads.iterdir()) and not list(services.volume.root.glob("jobs/*"))


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "7z"])
@pytest.mark.parametrize("way", ["form", "raw"])
def test_an_archive_of_any_kind_is_kept_as_it_came_under_its_own_ending(
    api: FlaskClient, services: Services, model: str, tmp_path: Path, kind: str, way: str
) -> None:
    content = commit_outputs(kind, tmp_path, FILES).read_bytes()
    if way == "form":
        response = post(api, ("scans", content))
    else:
        response = api.post("/api/v1/classifications?name=scans", data=content)

    job = accepted(response, services)
    assert job.total == (1 if kind == "7z" else 2)  # a 7z is counted by the plan
    assert job.source["name"] == "scans"
    assert services.volume.archive(job.id).name == f"input.{kind}"
    assert services.volume.archive(job.id).read_bytes() == content


def test_loose_images_become_one_zip_in_the_order_in_which_they_were_sent(
    api: FlaskClient, services: Services, model: str
) -> None:
    sent = [("2.png", PNG), ("1.png", PNG + b"1"), ("notes.txt", b"no image"), ("empty.png", b"")]

    job = accepted(post(api, *sent, normalize="none"), services)

    assert list(packed(services, job).items()) == sent
    assert job.total == 3
    assert job.source["name"] == "4 files"
    assert job.parameters["normalize"] == "none"
    assert list(services.volume.uploads.iterdir()) == []


@pytest.mark.parametrize("way", ["form", "raw"])
def test_one_image_alone_is_a_classification_of_one(api: FlaskClient, services: Services, model: str, way: str) -> None:
    response = post(api, ("seven", PNG)) if way == "form" else api.post("/api/v1/classifications?name=seven", data=PNG)

    job = accepted(response, services)
    assert packed(services, job) == {"seven.png": PNG}
    assert job.source["name"] == "seven"


def test_the_same_loose_images_sent_again_with_a_key_are_the_same_job(
    api: FlaskClient, services: Services, model: str
) -> None:
    def send(*files: tuple[str, bytes]) -> TestResponse:
        parts = [(io.BytesIO(data), name) for name, data in files]
        return api.post("/api/v1/classifications", data={"file": parts}, headers={"Idempotency-Key": "once"})

    first = accepted(send(("1.png", PNG), ("2.png", PNG)), services)
    assert accepted(send(("1.png", PNG), ("2.png", PNG)), services).id == first.id
    assert send(("1.png", PNG), ("3.png", PNG)).status_code == 422


def test_a_file_of_a_gigabytes_name_is_cut_and_of_a_name_that_leads_outside_the_last_part_is_kept(
    api: FlaskClient, services: Services, model: str
) -> None:
    job = accepted(post(api, ("../../etc/1.png", PNG), (r"C:\\x\\7.png", PNG), ("x" * 70_000 + ".png", PNG)), services)

    assert [(name[:20], len(name)) for name in packed(services, job)] == [
        ("1.png", 5),
        ("7.png", 5),
        ("x" * 20, 1000),
    ]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([("a.zip", zip_bytes("1.png")), ("b.zip", zip_bytes("2.png"))], "2 archives but no images"),
        ([("a.txt", b"x"), ("b.txt", b"y")], "none of its 2 files"),
        ([("1.png", b"<html>")], "not a readable zip, tar or image"),
        ([("1.png", b"")], "empty (0 bytes)"),
    ],
    ids=["archives", "texts", "page", "nothing"],
)
def test_files_without_an_image_among_them_are_refused(
    api: FlaskClient, services: Services, model: str, files: list[tuple[str, bytes]], says: str
) -> None:
    (services.volume.model(model) / "model.keras").unlink()

    field, message = refusal(post(api, *files))

    assert field == "file"
    assert says in message
    assert nothing_left(services)


def test_more_files_than_are_accepted_are_refused_with_the_remedy(tmp_path: Path) -> None:
    settings = WebSettings(data=tmp_path / "data", redis_url="redis://127.0.0.1:1/0", max_upload_files=3)
    api = create_app(settings).test_client()

    field, message = refusal(post(api, *[(f"{n}.png", PNG) for n in range(4)]))

    assert field == "file"
    assert "more than 3 files" in message
    assert "one zip" in message
    assert list((tmp_path / "data" / "uploads").iterdir()) == []


def test_however_many_files_are_sent_few_are_open_at_a_time(app: Flask) -> None:
    with app.test_request_context("/"):
        for name in ("", "1.png", "", "", "2.png", "", "3.png", ""):
            received: UploadRequest = request._get_current_object()  # type: ignore[attr-defined]
            received.receive(name)
            assert len(received.receiving) <= 3


def test_an_archive_beside_a_chooser_that_was_left_empty_is_that_archive(
    api: FlaskClient, services: Services, model: str
) -> None:
    job = accepted(post(api, ("", b""), ("scans.zip", zip_bytes("1.png")), ("", b"")), services)

    assert job.source["name"] == "scans.zip"
    assert services.volume.archive(job.id).read_bytes() == zip_bytes("1.png")


def test_several_files_are_no_data_set(api: FlaskClient, services: Services) -> None:
    parts = [(io.BytesIO(b"label,pixel0"), name) for name in ("a.csv", "b.csv")]

    response = api.post("/api/v1/datasets", data={"file": parts, "name": "letters"})

    assert refusal(response) == ("file", "Several files were sent. Send only one: a data set.")
    assert nothing_left(services)


@pytest.fixture
def inbox(services: Services) -> Path:
    """A directory of the inbox with the files."""
    scans = services.volume.inbox / "scans"
    scans.mkdir()
    return commit_outputs("directory", scans, FILES).rename(scans / "march")


@pytest.mark.parametrize("way", ["query", "form", "empty file beside it"])
def test_a_directory_of_the_inbox_is_classified_where_it_lies(
    api: FlaskClient, services: Services, model: str, inbox: Path, way: str
) -> None:
    if way == "query":
        response = api.post("/api/v1/classifications?directory=scans/march")
    elif way == "form":
        response = api.post("/api/v1/classifications", data={"directory": "scans/march/"})
    else:
        response = post(api, ("", b""), directory="scans/march")

    job = accepted(response, services)
    assert job.total == 2
    assert job.source == {"name": "inbox/scans/march", "aliases": {"production": model}}
    assert job.parameters["directory"] == "scans/march"
    assert sorted(path.name for path in inbox.rglob("*.png")) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("directory", "says"),
    [
        ("../uploads", "not a directory in the inbox"),
        ("scans/../../models", "not a directory in the inbox"),
        ("/etc", "not a directory in the inbox"),
        (".", "not a directory in the inbox"),
        ("scans\0", "not a directory in the inbox"),
        ("no-such", "There is no directory 'no-such' in the inbox"),
        ("scans/march/7/a.png", "There is no directory"),
        ("out", "There is no directory 'out'"),
        ("out/jobs", "There is no directory 'out/jobs'"),
        ("empty", "The directory is empty"),
    ],
)
def test_a_directory_that_is_not_in_the_inbox_or_empty_is_refused(
    api: FlaskClient, services: Services, model: str, inbox: Path, directory: str, says: str
) -> None:
    (services.volume.inbox / "out").symlink_to(services.volume.root)
    (services.volume.inbox / "empty").mkdir()

    field, message = refusal(api.post("/api/v1/classifications", query_string={"directory": directory}))

    assert field == "directory"
    assert says in message
    assert nothing_left(services)


def test_files_and_a_directory_together_are_refused(
    api: FlaskClient, services: Services, model: str, inbox: Path
) -> None:
    by_form = refusal(post(api, ("1.png", PNG), directory="scans/march"))
    by_body = refusal(api.post("/api/v1/classifications?directory=scans/march", data=PNG))

    assert by_form == by_body == ("directory", "Send files or a directory of the inbox, not both.")


def test_the_page_takes_several_images_or_a_directory(
    api: FlaskClient, services: Services, model: str, inbox: Path
) -> None:
    page = api.get("/classify").text
    assert 'type="file" multiple' in page
    assert 'name="directory"' in page

    several = api.post("/classify", data={"file": [(io.BytesIO(PNG), "1.png"), (io.BytesIO(PNG), "2.png")]})
    named = api.post("/classify", data={"file": (io.BytesIO(b""), ""), "directory": "scans/march"})
    neither = api.post("/classify", data={"file": (io.BytesIO(b""), ""), "directory": ""})

    assert [several.status_code, named.status_code, neither.status_code] == [303, 303, 422]
    assert "No file was sent" in neither.text
    assert [job.total for job in services.jobs.list()] == [2, 2]


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_zip_that_curl_sends_as_a_form_is_refused_with_what_to_do(api: FlaskClient, model: str, size: int) -> None:
    response = api.post(
        "/api/v1/classifications",
        data=zip_bytes("1.png") + bytes(size),
        content_type="application/x-www-form-urlencoded",
    )

    assert response.status_code == 422
    assert "Content-Type: application/octet-stream" in response.text


@pytest.mark.parametrize("said", ["zip", "x-tar", "x-7z-compressed", "octet-stream"])
def test_a_zip_is_taken_whatever_type_it_is_said_to_have_but_a_form(
    api: FlaskClient, services: Services, model: str, said: str
) -> None:
    content = zip_bytes("1.png")

    job = accepted(api.post("/api/v1/classifications", data=content, content_type=f"application/{said}"), services)
    assert services.volume.archive(job.id).read_bytes() == content
