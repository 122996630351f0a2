"""Signing in, and being refused, in a real browser."""

import shutil
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect, sync_playwright
from werkzeug.serving import make_server

from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind
from tenfold.worker.services import Services
from tests.web.people import PASSWORD, add_person

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def url(app: Flask, services: Services) -> Iterator[str]:
    """The server, with two people and a job of one of them."""
    add_person(services, "anna", Scope.ADMIN)
    add_person(services, "bert", Scope.SUBMIT)
    parameters = {"recipe": "dropout-128"}
    services.jobs.submit("job-1", JobKind.TRAINING, parameters, total=1, fingerprint="", owner="anna")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def page() -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser.new_page()
        browser.close()


def test_a_person_signs_in_is_refused_what_is_anothers_and_signs_out(page: Page, url: str) -> None:
    page.goto(f"{url}/train")
    page.get_by_label("Username").fill("bert")
    page.get_by_label("Password").fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Incorrect username or password")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{url}/train")

    page.goto(f"{url}/jobs/job-1")
    expect(page.get_by_text("by anna").first).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    status = page.evaluate("fetch('/api/v1/jobs/job-1/cancel', {method: 'POST'}).then(response => response.status)")
    assert status == 403
    page.goto(f"{url}/users")
    expect(page.get_by_role("heading", name="Permission denied")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(url)
    expect(page).to_have_url(f"{url}/sign-in?next=/")


def test_a_person_makes_a_key_and_an_administrator_adds_somebody(page: Page, url: str) -> None:
    page.goto(f"{url}/account")
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    page.get_by_label("Name of the new key").fill("a script")
    page.get_by_role("button", name="Create key").click()
    key = page.locator("#new-key").inner_text()
    status = page.request.get(f"{url}/api/v1/jobs", headers={"Authorization": f"Bearer {key}"}).status
    assert status == 200

    page.get_by_role("link", name="Users").click()
    page.get_by_label("Username").fill("carl")
    page.get_by_label("Initial password").fill(PASSWORD)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="carl")).to_be_visible()
