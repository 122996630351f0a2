"""Every page, as it looks when there is something on it, in a real browser: what holds of all of them.

The pages are those of the route table, with a value for each part of an address. A new page is looked at by itself; one
with a new kind of part needs its values in `VALUES`.
"""

from collections.abc import Callable, Collection, Iterator
from http import HTTPStatus
from itertools import product
from pprint import pformat

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tenfold.trainer.data.datasets import Dataset
from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind
from tenfold.worker.services import Services
from tests.waiting import until
from tests.web.browsing import browsing
from tests.web.lived_in import LivedIn, live_in
from tests.web.people import PASSWORD, add_person

PHONE, SCREEN = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
LANDMARKS = ("banner", "navigation", "main", "contentinfo")
# What another theme changes.
COLORS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}

# No pages: what is fetched into one, and what is for programs.
NO_PAGES = ("api.", "static", "bootstrap.static", "job.live")

VALUES: dict[str, Callable[[LivedIn], list[str]]] = {
    "job_id": lambda lived: [job.id for states in lived.jobs.values() for job in states.values()],
    "model_id": lambda lived: [lived.succeeded(JobKind.TRAINING).id, lived.trials[0].id],
    "alias": lambda lived: ["production", "candidate", "retired"],
    "name": lambda lived: ["mnist", "tiny", "own-0"],
    "row": lambda lived: ["0", "12"],
}
CLASSIFIED_ONLY = ("images.", "image.", "review.")
COMPARED_ONLY = ("differences.",)
CHECKED_ONLY = ("dataset_checks.",)


@pytest.fixture(scope="module")
def lived_in(
    tmp_path_factory: pytest.TempPathFactory, redis_database: Callable[[int], str], mnist: Dataset
) -> Iterator[LivedIn]:
    data = tmp_path_factory.mktemp("every-page")
    app = create_app(WebSettings(data=data, redis_url=redis_database(999)))
    lived = live_in(app, mnist)
    images = f"/jobs/{lived.succeeded(JobKind.CLASSIFICATION).id}/images"
    until(lambda: app.test_client().get(images).status_code == HTTPStatus.OK)
    yield lived
    app.extensions[EXTENSION].database.close()


def pages_of(lived: LivedIn) -> list[str]:
    """The address of each page, from the route table."""
    return [
        path
        for rule in lived.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.endpoint.startswith(NO_PAGES)
        for path in addresses(lived, rule)
        if _shows_a_page(lived.app.test_client().get(path))
    ]


def _shows_a_page(response: TestResponse) -> bool:
    """Not a download, and not what an address has only where there is something, or somebody who has signed in."""
    return response.status_code == HTTPStatus.OK and response.mimetype == "text/html"


def addresses(lived: LivedIn, rule: Rule) -> list[str]:
    parts = sorted(rule.arguments)
    values = [VALUES[part](lived) for part in parts]
    if rule.endpoint.startswith(CLASSIFIED_ONLY):
        values[parts.index("job_id")] = [lived.succeeded(JobKind.CLASSIFICATION).id]
    if rule.endpoint.startswith(COMPARED_ONLY):
        values[parts.index("job_id")] = [lived.succeeded(JobKind.COMPARISON).id]
    if rule.endpoint.startswith(CHECKED_ONLY):
        values[parts.index("job_id")] = [lived.succeeded(JobKind.CHECK).id]
    with lived.app.test_request_context():
        adapter = lived.app.create_url_adapter(None) or lived.app.url_map.bind("localhost")
        return [adapter.build(rule.endpoint, dict(zip(parts, each, strict=True))) for each in product(*values)]


def variants_of(lived: LivedIn) -> list[str]:
    """The same pages as they look with something asked of them."""
    job, first, second = lived.succeeded(JobKind.CLASSIFICATION), lived.succeeded(JobKind.TRAINING), lived.trials[0]
    return [
        f"/compare?run={first.id}&run={second.id}",
        f"/compare?run={first.id}&run={second.id}&only=differences",
        "/train?epochs=0&recipe=cnn&units=7",
        "/models?trials=yes",
        "/jobs?kind=review&state=failed",
        "/jobs?cursor=0",
        f"/jobs/{job.id}/images?status=error",
        f"/jobs/{job.id}/images?q=nothing-is-called-so",
        f"/jobs/{job.id}/images/0?how=1",
        f"/jobs/{job.id}/review?rank=5",
    ]


@pytest.mark.parametrize("viewport", [PHONE, SCREEN], ids=["phone", "screen"])
def test_every_page_is_accessible_and_fits_light_on_a_phone_and_dark_on_a_screen(
    lived_in: LivedIn, viewport: dict[str, int]
) -> None:
    paths = pages_of(lived_in) + variants_of(lived_in)
    assert len(paths) > 50
    with looking(lived_in.app, viewport) as page:
        faults = {path: found for path in paths if (found := look_at(page, path))}
    assert faults == {}, pformat(faults)


@pytest.mark.parametrize("viewport", [PHONE, SCREEN], ids=["phone", "screen"])
def test_empty_pages_and_those_about_people_and_errors_are_too(
    app: Flask, services: Services, viewport: dict[str, int]
) -> None:
    with looking(app, viewport, refused=[404]) as page:
        empty = ("/", "/jobs", "/classify", "/predict", "/models", "/compare", "/users", "/sign-in")
        faults = {path: found for path in empty if (found := look_at(page, path))}
        faults |= {path: found for path in ("/jobs/none", "/no-such-page") if (found := look_at(page, path, 404))}
    add_person(services, "anna", Scope.ADMIN)
    add_person(services, "bert", Scope.SUBMIT)
    with looking(app, viewport, refused=[403, 422]) as page:
        faults |= {"refused": refuse_to_sign_in(page)}
        sign_in(page, "anna")
        faults |= {path: found for path in ("/", "/account", "/users") if (found := look_at(page, path))}
        faults |= {"a new key": make_a_key(page)}
        page.get_by_role("button", name="Sign out").click()
        sign_in(page, "bert")
        faults |= {"forbidden": look_at(page, "/users", 403)}
    with looking(app, viewport, refused=[422]) as page:
        sign_in(page, "anna")
        for path, button in (("/datasets", "Upload"), ("/sweep", "Start the sweep")):
            page.goto(path)
            if path == "/sweep":
                page.get_by_label("Search space").fill("nothing that is known")
            page.get_by_role("button", name=button, exact=True).click()
            page.get_by_text("Not submitted").first.wait_for()
            faults |= {f"{path} refused": faults_of(page)}
    faults = {path: found for path, found in faults.items() if found}
    assert faults == {}, pformat(faults)


def looking(app: Flask, viewport: dict[str, int], refused: Collection[int] = ()):  # type: ignore[no-untyped-def]
    """A browser in which nothing moves, so that no color is caught halfway: light on the phone, dark on the screen."""
    theme = "dark" if viewport == SCREEN else "light"
    return browsing(app, refused=refused, viewport=viewport, color_scheme=theme, reduced_motion="reduce")


def look_at(page: Page, path: str, status: int = 200) -> list[str]:
    """What is wrong with the page at an address."""
    response = page.goto(path)
    assert response is not None
    policy = response.header_value("Content-Security-Policy") or ""
    faults = faults_of(page)
    if response.status != status:
        faults.append(f"answered {response.status}")
    if "default-src 'self'" not in policy or "unsafe" in policy:
        faults.append(f"has the policy {policy!r}")
    return faults


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page that is shown."""
    width = page.viewport_size["width"]  # type: ignore[index]
    faults = [f"has no {role}" for role in LANDMARKS if not page.get_by_role(role).first.is_visible()]  # type: ignore[arg-type]
    if (headings := page.get_by_role("heading", level=1).count()) != 1:
        faults.append(f"has {headings} headings of the first level")
    if not page.title().removesuffix("– Tenfold").strip():
        faults.append("has no title")
    if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
        faults.append(f"is {needed} wide")
    return faults + violations(page, COLORS if page.viewport_size == SCREEN else None)


def violations(page: Page, options: dict[str, object] | None = None) -> list[str]:
    """What axe finds."""
    found = Axe().run(page, options=options or {"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']]}" for each in found]


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def refuse_to_sign_in(page: Page) -> list[str]:
    page.goto("/sign-in")
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill("wrong horse")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    return faults_of(page)


def make_a_key(page: Page) -> list[str]:
    page.goto("/account")
    page.get_by_label("Name of the new key").fill("a script")
    page.get_by_role("button", name="Create key").click()
    page.locator("#new-key").wait_for()
    return faults_of(page)


TAB_STOPS = """() => {
    const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']");
    const offered = [...all].filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0)
        .filter((each) => each.type !== "radio" || each.checked);
    offered.forEach((each, index) => { each.dataset.stop = index; });
    return offered.map((each) => each.outerHTML.slice(0, 120));
}"""


def test_the_tab_key_reaches_everything_in_its_order(lived_in: LivedIn) -> None:
    review = f"/jobs/{lived_in.succeeded(JobKind.CLASSIFICATION).id}/review"
    with looking(lived_in.app, SCREEN) as page:
        # A hidden page is not refreshed, so that no element is replaced between two keys.
        page.add_init_script("Object.defineProperty(document, 'hidden', { value: true })")
        for path in ("/", "/train", "/classify", "/predict", "/models", "/datasets", "/compare", review):
            page.goto(path)
            if path == review:
                page.locator("#strip button").first.wait_for()
            stops = page.evaluate(TAB_STOPS)
            reached = []
            for _ in stops:
                page.keyboard.press("Tab")
                reached.append(page.evaluate("document.activeElement.dataset.stop"))
            assert reached == [str(index) for index in range(len(stops))], f"{path}: {stops}"


def test_trainings_are_compared_by_keyboard(lived_in: LivedIn) -> None:
    with looking(lived_in.app, SCREEN) as page:
        page.goto("/compare")
        for training in (lived_in.succeeded(JobKind.TRAINING), lived_in.trials[0]):
            page.get_by_role("checkbox", name=training.id).focus()
            page.keyboard.press("Space")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", name="Compare 2 trainings")).to_be_visible()
