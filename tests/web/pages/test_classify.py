"""The page on which images are submitted: with a real browser, and as a form without JavaScript."""

import io
import zipfile
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, Route, expect

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.db.states import JobKind
from tenfold.worker.services import Services
from tests.reviews import classified, digits, untrained_model
from tests.uploads import zipped
from tests.waiting import until
from tests.web.browsing import browsing

LOOK_EVERY_MS = 20

PHONE = {"width": 360, "height": 740}


def drop(page: Page, path: Path, mimetype: str) -> None:
    """Drag a file over the page and let it go there."""
    page.evaluate(
        """([name, type, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
            const about = { bubbles: true, cancelable: true, dataTransfer: transfer };
            for (const kind of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(kind, about));
        }""",
        [path.name, mimetype, list(path.read_bytes())],
    )


def archive(tmp_path: Path, mnist: Dataset) -> Path:
    path = tmp_path / "scans.zip"
    path.write_bytes(zipped(digits(mnist, 20)))
    return path


def test_a_zip_is_dropped_and_uploaded_with_progress(
    app: Flask, services: Services, mnist: Dataset, tmp_path: Path
) -> None:
    untrained_model(services)
    with browsing(app) as page:
        page.goto("/classify")
        drop(page, archive(tmp_path, mnist), "application/zip")
        expect(page.get_by_text("1 file,")).to_be_visible()
        expect(page.get_by_text("scans.zip,")).to_be_visible()
        held: list[Route] = []
        page.route("**/api/v1/classifications", lambda route: held.append(route))
        page.get_by_role("button", name="Upload and classify").click()
        expect(page.get_by_role("progressbar", name="Upload")).to_be_visible()
        expect(page.get_by_role("button", name="Cancel upload")).to_be_visible()
        until(lambda: held or page.wait_for_timeout(LOOK_EVERY_MS))
        held[0].continue_()

        expect(page.get_by_role("heading", name="Classification of scans.zip")).to_be_visible()

    [job] = services.jobs.list(kind=JobKind.CLASSIFICATION)
    assert (job.total, job.parameters["model"]) == (20, ["untrained"])


def test_a_cancelled_upload_leaves_the_form_as_it_was(
    app: Flask, services: Services, mnist: Dataset, tmp_path: Path
) -> None:
    untrained_model(services)
    with browsing(app, viewport=PHONE) as page:
        page.goto("/classify")
        page.get_by_label("Images or archives").set_input_files(archive(tmp_path, mnist))
        page.route("**/api/v1/classifications", lambda route: None)
        page.get_by_role("button", name="Upload and classify").click()
        page.get_by_role("button", name="Cancel upload").click()

        expect(page.get_by_role("progressbar", name="Upload")).to_be_hidden()
        expect(page.get_by_role("button", name="Upload and classify")).to_be_enabled()
        expect(page.get_by_text("1 file,")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    assert services.jobs.list() == []


def test_a_folder_is_chosen_with_the_labels_that_its_folders_are(
    app: Flask, services: Services, mnist: Dataset, tmp_path: Path
) -> None:
    untrained_model(services)
    for number, (name, data) in enumerate(digits(mnist, 4).items()):
        directory = tmp_path / "digits" / str(mnist.test_labels[number])
        directory.mkdir(parents=True)
        (directory / name).write_bytes(data)
    with browsing(app) as page:
        page.goto("/classify")
        page.locator("input[webkitdirectory]").set_input_files(tmp_path / "digits")
        expect(page.get_by_text("4 files,")).to_be_visible()
        page.get_by_role("button", name="Upload and classify").click()
        expect(page.get_by_role("heading", name="Classification of 4 files")).to_be_visible()

    [job] = services.jobs.list()
    with zipfile.ZipFile(services.volume.archive(job.id)) as packed:
        assert sorted(packed.namelist()) == [
            f"digits/{label}/{number:03d}.png"
            for label, number in sorted(zip(mnist.test_labels[:4].tolist(), range(4), strict=True))
        ]


def test_what_the_server_refuses_is_said_in_place(app: Flask, services: Services, tmp_path: Path) -> None:
    untrained_model(services)
    path = tmp_path / "notes.zip"
    path.write_bytes(zipped({"notes.txt": b"no image"}))
    with browsing(app, refused=[422]) as page:
        page.goto("/classify")
        page.get_by_label("Images or archives").set_input_files(path)
        page.get_by_role("button", name="Upload and classify").click()

        expect(page.get_by_role("alert")).to_contain_text("no image")


def test_the_form_submits_without_javascript(app: Flask, services: Services, mnist: Dataset, tmp_path: Path) -> None:
    untrained_model(services)
    with browsing(app, java_script_enabled=False) as page:
        page.goto("/classify")
        page.get_by_label("Images or archives").set_input_files(archive(tmp_path, mnist))
        page.get_by_role("button", name="Upload and classify").click()

        expect(page.get_by_role("heading", name="Classification of scans.zip")).to_be_visible()


def test_an_error_keeps_what_was_entered(api: FlaskClient, model: str) -> None:
    response = api.post("/classify", data={"file": (io.BytesIO(b"no image"), "a.txt"), "max_error_rate": "0.01"})

    assert response.status_code == 422
    assert "Not submitted" in response.text
    assert 'value="0.01"' in response.text


def test_without_a_model_the_page_leads_to_training(api: FlaskClient) -> None:
    assert "Train a model first" in api.get("/classify").text


def test_thumbnails_are_filtered_and_opened_in_the_browser(app: Flask, services: Services, mnist: Dataset) -> None:
    untrained_model(services)
    job = classified(services, digits(mnist, 12))
    with browsing(app, viewport=PHONE) as page:
        page.goto(f"/jobs/{job.id}")
        page.get_by_role("link", name="Browse the images").click()
        expect(page.locator("#thumbnails li")).to_have_count(12)
        expect(page.locator("#thumbnails img").first).to_have_js_property("naturalWidth", 28)
        page.get_by_label("Name contains").fill("007")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("#thumbnails li")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.locator("#thumbnails a").click()

        expect(page.get_by_role("heading", name="007.png")).to_be_visible()
        page.get_by_role("link", name="Review this image").click()
        expect(page.get_by_role("heading", name="Review")).to_be_visible()
