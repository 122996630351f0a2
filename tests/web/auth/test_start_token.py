"""Who may use a server that has no users yet: all who have its start-up token, and nobody who comes through a proxy."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tenfold.client import Client, ServerError
from tenfold.client.start_token import find_token, forget_token, remember_token, token_directory
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tests import patient
from tests.up import Up
from tests.waiting import until
from tests.web.nginx import nginx
from tests.web.people import add_person
from tests.web.serving import WebProcess

TOKEN = "the-token-of-this-test"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def web(tmp_path: Path, redis_url: str) -> Iterator[WebProcess]:
    process = WebProcess(tmp_path / "data", redis_url, TENFOLD_REQUIRE_TOKEN="true", TENFOLD_TOKEN=TOKEN)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def browser(web: WebProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, follow_redirects=True) as client:
        yield client


def status(url: str, headers: dict[str, str] | None = None) -> int:
    return patient.get(f"{url}/api/v1/jobs", headers=headers).status_code


def test_the_address_that_is_printed_signs_the_browser_in_and_loses_the_token(browser: httpx.Client) -> None:
    assert browser.get("/jobs").url.path == "/sign-in"

    page = browser.get("/jobs", params={"state": "failed", "token": TOKEN})

    assert page.status_code == 200
    assert str(page.url).endswith("/jobs?state=failed")
    assert browser.get("/train").url.path == "/train"
    [cookie] = browser.cookies.jar
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert TOKEN not in str(cookie.value)


def test_the_token_can_be_pasted_into_the_sign_in_page(browser: httpx.Client) -> None:
    here = {"Origin": str(browser.base_url)}
    wrong = browser.post("/sign-in?next=/models", data={"token": "wrong"}, headers=here)
    assert (wrong.status_code, "Invalid start-up token" in wrong.text) == (422, True)

    assert browser.post("/sign-in?next=/models", data={"token": TOKEN}, headers=here).url.path == "/models"


def test_the_token_of_an_earlier_start_says_so(browser: httpx.Client) -> None:
    page = browser.get("/jobs?token=old")

    assert page.url.path == "/sign-in"
    assert "Invalid start-up token" in page.text


def test_no_token_leads_to_another_site(web: WebProcess) -> None:
    answer = patient.get(f"{web.url}//example.org/?token={TOKEN}")

    assert answer.headers.get("Location", "/").startswith("/")
    assert not answer.headers.get("Location", "/").startswith("//")


def test_programs_send_the_token_as_a_key(web: WebProcess) -> None:
    assert [status(web.url), status(web.url, {"Authorization": "Bearer wrong"}), status(web.url, HEADERS)] == [
        401,
        401,
        200,
    ]
    assert "tenfold token" in patient.get(f"{web.url}/api/v1/jobs").json()["detail"]
    assert patient.get(f"{web.url}/metrics").status_code == 200


def test_once_there_are_users_the_token_is_worth_nothing(
    web: WebProcess, browser: httpx.Client, redis_url: str
) -> None:
    browser.get("/", params={"token": TOKEN})
    services = Services.open(Settings(data=web.data, redis_url=redis_url))
    migrate(services.database)
    add_person(services, "anna", Scope.ADMIN)
    services.database.close()

    until(lambda: status(web.url, HEADERS) == 401)
    assert browser.get("/jobs").url.path == "/sign-in"


PROXIES = {
    "as it comes": ("", 401),
    "with headers": ("proxy_set_header X-Forwarded-For $remote_addr;", 403),
    "X-Real-IP": ("proxy_set_header X-Real-IP $remote_addr;", 403),
    "Forwarded": ('proxy_set_header Forwarded "for=192.0.2.1";', 403),
    "Via": ('proxy_set_header Via "1.1 proxy";', 403),
    "Host of its own": ("proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto https;", 403),
}


@pytest.mark.parametrize("kind", PROXIES)
def test_a_stranger_who_comes_through_a_proxy_may_do_nothing(web: WebProcess, kind: str) -> None:
    """nginx' `proxy_pass` alone sends no header and the server's own name: then the token keeps strangers out."""
    headers, expected = PROXIES[kind]
    with nginx(f"location / {{ proxy_pass {web.url}; {headers} }}") as address:
        assert status(address) == expected
        assert patient.post(f"{address}/api/v1/trainings", json={"recipe": "cnn"}).status_code == expected
        page = patient.get(f"{address}/jobs")
        assert page.status_code == (303 if expected == 401 else 403)
        if expected == 403:
            assert "tenfold user add NAME --admin" in page.text
            assert len(page.text) < 300
            assert status(address, HEADERS) == 403
            assert patient.get(f"{address}/static/tenfold.css").status_code == 403
        assert patient.get(f"{address}/api/v1/readyz").status_code == 200


def test_whoever_says_so_leaves_it_to_the_proxy(tmp_path: Path, redis_url: str) -> None:
    web = WebProcess(tmp_path / "data", redis_url, TENFOLD_REQUIRE_TOKEN="true", TENFOLD_OPEN="true")
    web.start()
    try:
        with nginx(f"location / {{ proxy_pass {web.url}; proxy_set_header X-Forwarded-For $remote_addr; }}") as address:
            assert status(address) == 200
    finally:
        web.kill()


def test_a_server_without_a_token_makes_one_and_logs_it(tmp_path: Path, redis_url: str) -> None:
    log = (tmp_path / "log").open("w+")
    web = WebProcess(tmp_path / "data", redis_url, TENFOLD_REQUIRE_TOKEN="true", TENFOLD_TOKEN="")
    web.start(stderr=log)
    try:
        [address] = re.findall(r"http://127\.0\.0\.1:\d+/\?token=\S+", Path(log.name).read_text())
        with httpx.Client(follow_redirects=True) as browser:
            assert browser.get(address).url.path == "/"
    finally:
        web.kill()
        log.close()


def test_commands_and_clients_of_the_same_user_find_the_token(up: Up) -> None:
    assert status(up.url) == 401
    with Client(up.url) as client:
        assert client.request("GET", "jobs").is_success
    with Client(f"http://localhost:{up.port}") as client:
        assert client.request("GET", "jobs").is_success
    with Client(up.url, key="wrong", retries=0) as client, pytest.raises(ServerError):
        client.request("GET", "jobs")
    assert up.run("token").strip() == up.token
    assert json.loads((up.directory / "data" / "up.json").read_text())["token"] == up.token


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "tenfold"


def test_a_token_counts_while_its_server_runs_and_for_its_owner(state: Path) -> None:
    server = "http://127.0.0.1:8123"
    remember_token(server, TOKEN)
    [file] = token_directory().iterdir()
    assert (state.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert find_token("http://localhost:8123") == TOKEN
    assert [find_token(f"http://{host}") for host in ("127.0.0.1:8124", "192.0.2.1:8123", "a.test:8123")] == [None] * 3

    file.chmod(0o644)
    assert find_token(server) is None
    file.chmod(0o600)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    file.write_text(json.dumps({"token": TOKEN, "pid": ended.pid}))
    assert find_token(server) is None
    forget_token(server)
    assert list(token_directory().iterdir()) == []


KEY = "tf_0123456789ab_secret"


@pytest.fixture
def config(tmp_path: Path, state: Path) -> Callable[..., dict[str, object]]:
    """What `tenfold config` says in a directory of its own."""

    def ask(*arguments: str, **environment: str) -> dict[str, object]:
        code = "from tenfold.cli import main; main()"
        others = {name: value for name, value in os.environ.items() if name not in ("TENFOLD_SERVER", "TENFOLD_KEY")}
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments, "config", "-o", "json"],
            cwd=tmp_path,
            env=others | {"TENFOLD_CONFIG": str(tmp_path / "config.toml")} | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return {**json.loads(done.stdout), "said": done.stderr}

    return ask


def test_a_file_in_the_directory_cannot_lead_a_key_away(
    tmp_path: Path, config: Callable[..., dict[str, object]]
) -> None:
    default = "http://127.0.0.1:8000"
    file = tmp_path / ".tenfold"
    file.write_text("http://attacker.example:80\n")
    file.chmod(0o644)
    elsewhere = config(TENFOLD_KEY=KEY)
    file.write_text("http://127.0.0.1:8123\n")
    own = config(TENFOLD_KEY=KEY)
    file.chmod(0o666)
    writable = config(TENFOLD_KEY=KEY)
    file.chmod(0o644)

    assert (elsewhere["server"], "not on this machine" in str(elsewhere["said"])) == (default, True)
    assert (own["server"], own["key_set"]) == ("http://127.0.0.1:8123", True)
    assert (writable["server"], "can be written by others" in str(writable["said"])) == (default, True)
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
        others = config(TENFOLD_KEY=KEY)
        assert (others["server"], "belongs to another user" in str(others["said"])) == (default, True)


def test_a_key_goes_to_the_server_that_it_was_set_for(tmp_path: Path, config: Callable[..., dict[str, object]]) -> None:
    ours, other = "https://digits.example.org", "https://other.example.org"

    def sent(*arguments: str, **environment: str) -> bool:
        return bool(config(*arguments, **environment)["key_set"])

    assert sent(TENFOLD_KEY=KEY, TENFOLD_SERVER=ours)
    assert sent(TENFOLD_KEY=KEY)
    assert sent("--server", other, TENFOLD_KEY=KEY)
    assert not sent("--server", other, TENFOLD_KEY=KEY, TENFOLD_SERVER=ours)
    assert sent("--server", other, "--key", KEY, TENFOLD_SERVER=ours)
    (tmp_path / "config.toml").write_text(f'key = "{KEY}"\n')
    assert sent()
    assert not sent("--server", other)
    (tmp_path / "config.toml").write_text(f'server = "{ours}"\nkey = "{KEY}"\n')
    assert sent()
    assert not sent("--server", other)
    assert not sent(TENFOLD_SERVER=other)


def test_the_client_sends_a_key_of_the_environment_to_its_server_only(
    web: WebProcess, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_KEY", TOKEN)
    with Client(web.url) as client:
        assert client.request("GET", "jobs").is_success
    monkeypatch.setenv("TENFOLD_SERVER", "https://digits.example.org")
    with Client(web.url, retries=0) as client, pytest.raises(ServerError):
        client.request("GET", "jobs")
