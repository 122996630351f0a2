"""Trainings watched and compared in a real browser, while a worker in this process runs them."""

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobState
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tests.conftest import write_dataset
from tests.waiting import PATIENCE_MS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# More than any test waits for: it is cancelled before.
MANY_EPOCHS = 1000


@pytest.fixture
def url(app: Flask, services: Services, mnist: Dataset) -> Iterator[str]:
    """The web, served, with a data set that takes a fraction of a second an epoch."""
    write_dataset(mnist.head(train=10_000, test=200), services.volume.datasets / "tiny")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@dataclass
class Worker:
    """Runs what is in line once it is told to begin."""

    services: Services
    begin: threading.Event
    stop: threading.Event

    def run(self) -> None:
        runner = Runner(self.services, shutting_down=self.stop.is_set)
        while not self.stop.is_set():
            in_line = self.services.jobs.list(state=JobState.QUEUED) if self.begin.is_set() else []
            for job in in_line:
                for step in self.services.jobs.queued_steps(job.id):
                    runner.run(step)
            time.sleep(0.05)


@pytest.fixture
def worker(services: Services, caplog: pytest.LogCaptureFixture) -> Iterator[Worker]:
    caplog.set_level(logging.INFO, "tenfold.worker")
    settings = services.settings.model_copy(update={"progress_seconds": 0.05, "lease_check_seconds": 0.1})
    worker = Worker(replace(services, settings=settings), threading.Event(), threading.Event())
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield worker
    worker.stop.set()
    thread.join()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    assert CHROMIUM, "the page tests need Chromium: `make test` installs it with apt-get"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        browser.close()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    return said


def test_a_training_is_watched_from_the_line_to_its_curves_and_cancelled(
    url: str, worker: Worker, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{url}/train?dataset=tiny&epochs={MANY_EPOCHS}&units=16&validation=split")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("the next free worker takes this job")).to_be_visible()

    worker.begin.set()

    expect(page.locator("#state")).to_have_text("running")
    curve = page.get_by_role("img", name="Accuracy by epoch").locator(".chart-line")
    expect(curve).to_have_count(2)
    begun = curve.first.get_attribute("d")
    assert begun
    expect(curve.first).not_to_have_attribute("d", begun)
    expect(page.locator("#left")).to_contain_text("left")

    page.get_by_text("Log", exact=True).click()
    log = page.get_by_role("region", name="Log of the job")
    expect(log).to_contain_text("epoch 3 of")
    told = log.inner_text()
    expect(log).not_to_have_text(told)
    expect(log).to_be_visible()
    log.focus()
    told = log.inner_text()
    expect(log).not_to_have_text(told)
    expect(log).to_be_focused()

    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled after")).to_be_visible()
    expect(page.get_by_role("img", name="Loss by epoch")).to_be_visible()
    page.get_by_role("link", name="Clone and edit").click()
    expect(page.get_by_label("Epochs")).to_have_value(str(MANY_EPOCHS))
    assert complaints == []


@pytest.fixture
def trainings(services: Services, url: str) -> list[Job]:
    """Two trainings of two epochs, at their end, that differ in their units."""
    trained = []
    for units in ("8", "32"):
        given = TrainingParameters(recipe="custom", dataset="tiny", units=units, epochs=2, validation="split")
        job = submit_training(services, given)
        for step in services.jobs.queued_steps(job.id):
            Runner(services, shutting_down=lambda: False).run(step)
        trained.append(services.jobs.get(job.id))
    return trained


def test_two_trainings_are_picked_from_the_leaderboard_and_compared(
    url: str, trainings: list[Job], page: Page, complaints: list[str]
) -> None:
    page.goto(f"{url}/jobs/{trainings[0].id}")
    page.get_by_role("link", name="Compare with others").click()
    page.get_by_role("checkbox", name=trainings[1].id).check()
    page.get_by_role("button", name="Compare selected").click()

    expect(page.get_by_role("heading", name="Compare 2 trainings")).to_be_visible()
    expect(page.get_by_role("img", name="Validation accuracy by epoch").locator(".chart-line")).to_have_count(2)
    page.get_by_role("link", name="Show only differences").click()
    rows = page.get_by_role("region", name="Parameters side by side").get_by_role("rowheader")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Dense units")
    page.get_by_role("link", name="Test loss").click()
    expect(page.get_by_role("columnheader", name="Test loss")).to_have_attribute("aria-sort", "ascending")
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Remove A").click()
    expect(page.get_by_text("Select more trainings")).to_be_visible()
    assert complaints == []


def test_a_part_that_is_refused_is_said_and_leaves_the_page_as_it_was(url: str, page: Page, services: Services) -> None:
    job = submit_training(services, TrainingParameters(recipe="dropout-128"))
    page.route("**/live", lambda route: route.fulfill(status=503, body="busy"))

    page.goto(f"{url}/jobs/{job.id}")

    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("#state")).to_have_text("queued")
    page.unroute("**/live")
