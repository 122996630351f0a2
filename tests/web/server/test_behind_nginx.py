"""Behind a real nginx: below a path of its own, and with TLS before it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tenfold.client import Client
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tests import patient
from tests.web.browsing import CHROMIUM, PATIENCE_MS
from tests.web.nginx import nginx
from tests.web.people import PASSWORD, add_person
from tests.web.serving import WebProcess

PREFIX = "/tenfold"
FORWARDED = """
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host $http_host;
"""


@pytest.fixture
def key(tmp_path: Path, redis_url: str) -> str:
    """Of the server's one user."""
    services = Services.open(Settings(data=tmp_path / "data", redis_url=redis_url))
    migrate(services.database)
    person = add_person(services, "anna", Scope.ADMIN)
    services.database.close()
    return person.key


@pytest.fixture(params=["left in the path", "taken out of the path"])
def address(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str, key: str) -> Iterator[str]:
    """That of a server below /tenfold/, beside which nginx has nothing else."""
    web = WebProcess(tmp_path / "data", redis_url, TENFOLD_PREFIX=PREFIX, TENFOLD_PROXIES="1")
    web.start()
    end = "" if request.param == "left in the path" else "/"
    try:
        with nginx(f"location {PREFIX}/ {{ proxy_pass {web.url}{end}; {FORWARDED} }}") as proxy:
            yield f"{proxy}{PREFIX}"
    finally:
        web.kill()


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    assert CHROMIUM
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        yield page
        browser.close()


def test_pages_links_scripts_and_the_session_stay_below_the_prefix(address: str, page: Page) -> None:
    elsewhere: list[str] = []
    page.on("response", lambda answer: elsewhere.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{address}/train")
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/train")

    [cookie] = page.context.cookies()
    assert cookie["path"] == PREFIX
    for name in ("Jobs", "Models", "Data sets"):
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).first.click()
        assert page.url.startswith(f"{address}/")
        assert page.locator("[aria-current=page]").first.inner_text().strip() == name
    hrefs = page.eval_on_selector_all("a[href], link[href], script[src]", "all => all.map(one => one.href || one.src)")
    assert {href for href in hrefs if not href.startswith(f"{address}/")} <= {f"{address}", *_outside(hrefs)}
    page.goto(f"{address}/train?recipe=dropout-128")
    page.get_by_role("button", name="Train", exact=True).first.click()
    page.wait_for_url(f"{address}/jobs/*")
    page.get_by_role("button", name="Cancel").first.click()
    page.get_by_text("cancelled").first.wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{address}/sign-in*")
    assert elsewhere == []


def _outside(hrefs: list[str]) -> set[str]:
    """Links to other sites."""
    return {href for href in hrefs if not href.startswith("http://127.0.0.1")}


def test_the_api_and_its_client_work_below_the_prefix(address: str, key: str, tmp_path: Path) -> None:
    with Client(address, key=key) as client:
        jobs = [client.train("dropout-128", epochs=1) for _ in range(3)]
        assert {job.id for job in jobs} == {job["id"] for job in client.listed("jobs", {"limit": 1})}
        assert client.request("GET", f"jobs/{jobs[0].id}").json()["links"]["self"].startswith(f"{PREFIX}/api/v1/")
        assert client.request("GET", "openapi.json").json()["servers"][0]["url"] == f"{PREFIX}/"


def test_cookies_are_kept_to_https_where_the_proxy_says_that_it_speaks_it(
    tmp_path: Path, redis_url: str, key: str
) -> None:
    """As the base for Kubernetes is set: one proxy, and the name that people use."""
    web = WebProcess(
        tmp_path / "data", redis_url, TENFOLD_PROXIES="1", TENFOLD_TRUSTED_HOSTS='["tenfold.example.org", "web"]'
    )
    web.start()
    try:
        with nginx(
            f"location / {{ proxy_pass {web.url}; {FORWARDED} proxy_set_header X-Forwarded-Proto https; }}"
        ) as at:
            host = {"Host": "tenfold.example.org", "Origin": "https://tenfold.example.org"}
            form = {"name": "anna", "password": PASSWORD}
            signed_in = patient.post(f"{at}/sign-in", data=form, headers=host)
            other = patient.get(f"{at}/sign-in", headers={"Host": "other.example.org"})
    finally:
        web.kill()

    assert signed_in.status_code == 303
    assert "Secure" in signed_in.headers["Set-Cookie"]
    assert "max-age=" in signed_in.headers["Strict-Transport-Security"]
    assert other.status_code == 400


def test_up_is_ready_below_a_prefix(up_below: str) -> None:
    assert up_below.endswith(PREFIX)
    assert patient.get(f"{up_below}/api/v1/readyz").status_code == 200


@pytest.fixture
def up_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from tenfold.web.local.supervisor import Supervisor

    monkeypatch.setenv("TENFOLD_PREFIX", PREFIX)
    stack = Supervisor(tmp_path / "up", port=0, predictor=False)
    stack.start()
    yield stack.url
    stack.stop()
    shutil.rmtree(tmp_path / "up")
