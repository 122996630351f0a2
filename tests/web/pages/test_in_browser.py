"""Home and Train in a real browser: by keyboard, on a phone, in either theme, and kept up to date."""

import re
import shutil
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

PAGES = ("/", "/jobs", "/train", "/models", "/datasets", "/datasets/mnist", "/no-such-page")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "the page tests need Chromium: `make test` installs it with apt-get"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the application is served from a thread of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=address)
    yield context.new_page()
    context.close()


def test_a_recipe_is_chosen_and_trained_by_keyboard_alone(page: Page, services: Services) -> None:
    page.goto("/train")
    page.get_by_role("radio", name="dropout-128", exact=False).first.focus()

    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="dropout-128-32")).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="dense-128-64")).to_be_checked()
    expect(page.locator("#outcome")).to_contain_text("109,386")
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile("/jobs/"))
    [job] = services.jobs.list()
    assert job.parameters["recipe"] == "dense-128-64"


def test_the_form_is_checked_while_it_is_filled_in(page: Page) -> None:
    page.goto("/train")
    epochs = page.get_by_label("Epochs")
    expect(epochs).to_have_attribute("placeholder", "10")

    epochs.fill("0")

    expect(page.get_by_text("greater than or equal to 1")).to_be_visible()
    expect(epochs).to_have_accessible_description(re.compile("greater than or equal to 1"))
    expect(page.locator("#outcome")).to_contain_text("Correct the marked fields")

    epochs.fill("3")

    expect(page.get_by_text("greater than or equal to 1")).to_have_count(0)
    expect(page.locator("#outcome")).to_contain_text("Epochs: instead of 10 3")

    page.get_by_text("Customize the recipe").click()
    page.get_by_label("Dense units").fill("64,32")
    expect(page.locator("#outcome").get_by_role("img")).to_have_accessible_name(
        "28×28 image → dense 64 (relu, dropout 0.2) → dense 32 (relu, dropout 0.2) → 10 outputs (softmax)"
    )
    page.get_by_role("radio", name="rmsprop-512").check()
    expect(epochs).to_have_attribute("placeholder", "5")
    expect(epochs).to_have_value("3")


def test_home_keeps_up_with_what_happens_and_leaves_the_focus_alone(page: Page, services: Services) -> None:
    first = submit_training(services, TrainingParameters(recipe="cnn"))
    page.goto("/")
    waiting = page.get_by_role("link", name="Training of cnn")
    waiting.focus()

    submit_training(services, TrainingParameters(recipe="dropout-128"))

    expect(page.get_by_text("about 2nd in the queue")).to_be_visible()
    expect(waiting).to_be_focused()

    services.jobs.cancel(first.id)

    expect(page.get_by_text("cancelled", exact=True)).to_be_visible()


def test_home_says_when_the_server_does_not_answer(page: Page) -> None:
    page.goto("/")

    page.route("**/*", lambda route: route.abort())
    expect(page.get_by_text("The server does not respond")).to_be_visible()

    page.unroute("**/*")
    expect(page.get_by_text("The server does not respond")).to_be_hidden()


def test_the_theme_follows_the_system_until_one_is_chosen_and_is_remembered(page: Page) -> None:
    root = page.locator("html")
    page.emulate_media(color_scheme="dark")
    page.goto("/")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-bs-theme", "light")

    page.get_by_role("button", name="Theme: Auto").click()
    page.get_by_role("button", name="Theme: Light").click()
    expect(root).to_have_attribute("data-bs-theme", "dark")

    page.goto("/train")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_role("button", name="Theme: Dark")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1440])
def test_no_page_is_wider_than_its_screen_and_none_breaks_the_policy(page: Page, width: int) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.set_viewport_size({"width": width, "height": 800})

    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        for landmark in ("banner", "navigation", "main", "contentinfo"):
            assert page.get_by_role(landmark).first.is_visible(), path  # type: ignore[arg-type]

    assert [complaint for complaint in complaints if "404" not in complaint] == []


def test_the_first_key_leads_past_the_navigation(page: Page) -> None:
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_without_scripts_the_forms_work_and_pages_show_the_state(
    browser: Browser, address: str, services: Services
) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()

    page.goto("/train")
    page.get_by_role("radio", name="dense-128-64").check()
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("link", name="Home", exact=True).click()

    expect(page.get_by_role("link", name="Training of dense-128-64")).to_be_visible()
    expect(page.get_by_text("No workers online. Jobs stay queued")).to_be_visible()
    context.close()
