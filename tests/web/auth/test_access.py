"""Who may do what: every route, asked by everybody, and all the ways to be refused."""

import io
import logging
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tenfold.web.app import create_app
from tenfold.web.auth.csrf import local_path
from tenfold.web.auth.permissions import NEEDS, Permission
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind
from tenfold.worker.services import Services
from tests.web.conftest import zip_bytes
from tests.web.people import HERE, PASSWORD, Person, add_person, sign_in, try_to_sign_in

TRIES = 3

# Whatever the answer is, it is not that one may not ask.
REFUSALS = (401, 403)

NAMES = {
    "job_id": "job-1",
    "name": "anything",
    "model_id": "model-1",
    "row": 0,
    "rank": 0,
    "part": "test",
    "index": 0,
    "alias": "production",
    "key_id": "tf_0",
    "filename": "x.css",
    "version": "0123456789abcdef",
    "upload_id": "01m7y99wtf1q6g3gcrsjzrqv9n",
    "webhook_id": "01m7y99wtf1q6g3gcrsjzrqv9n",
}

MAY = {
    Permission.PUBLIC: {"stranger", "reader", "submitter", "owner", "admin"},
    Permission.READ: {"reader", "submitter", "owner", "admin"},
    Permission.SUBMIT: {"submitter", "owner", "admin"},
    Permission.OWNER: {"owner", "admin"},
    Permission.ADMIN: {"admin"},
    # With a key, nobody: it takes a session.
    Permission.ACCOUNT: set(),
}


@pytest.fixture
def people(services: Services) -> dict[str, Person]:
    """An administrator, and others."""
    scopes = {"admin": Scope.ADMIN, "owner": Scope.SUBMIT, "submitter": Scope.SUBMIT, "reader": Scope.READ}
    return {name: add_person(services, name, scope) for name, scope in scopes.items()}


@pytest.fixture
def job(services: Services, people: dict[str, Person]) -> str:
    """A training of the person `owner`, who also has trained the model."""
    for name in ("job-1", "model-1"):
        services.jobs.submit(name, JobKind.TRAINING, {"dataset": "mnist"}, total=1, fingerprint="", owner="owner")
    services.volume.dataset("anything").mkdir()
    (services.volume.dataset("anything") / "source.json").write_text('{"job": "job-1"}')
    return "job-1"


def routes() -> Iterator[tuple[str, Rule]]:
    app = create_app_without_data()
    for rule in app.url_map.iter_rules():
        methods = rule.methods or set()
        for method in sorted(methods - {"HEAD", "OPTIONS"} or methods):
            yield method, rule


def create_app_without_data() -> Flask:
    with tempfile.TemporaryDirectory() as directory:
        app = create_app(WebSettings(data=Path(directory)))
        app.extensions[EXTENSION].database.close()
    return app


ROUTES = list(routes())


def test_every_route_says_what_it_needs_and_nothing_else_does() -> None:
    assert {rule.endpoint for _, rule in ROUTES} == set(NEEDS)


@pytest.mark.parametrize("who", ["stranger", "reader", "submitter", "owner", "admin"])
def test_each_route_is_for_whom_it_is_for(
    app: Flask, services: Services, people: dict[str, Person], job: str, model: str, who: str
) -> None:
    headers = {} if who == "stranger" else people[who].headers
    admitted, refused = set(), set()
    for method, rule in ROUTES:
        url = app.url_map.bind("localhost").build(rule.endpoint, {name: NAMES[name] for name in rule.arguments}, method)
        response = app.test_client().open(url, method=method, headers=headers)
        to_sign_in = response.status_code == 303 and response.location.startswith("/sign-in")
        target = refused if response.status_code in REFUSALS or to_sign_in else admitted
        target.add(rule.endpoint)
        restore(services)

    assert admitted == {endpoint for endpoint, need in NEEDS.items() if who in MAY[need]}
    assert refused == set(NEEDS) - admitted


def restore(services: Services) -> None:
    """What the last route may have deleted, the next one asks for."""
    directory = services.volume.dataset("anything")
    directory.mkdir(exist_ok=True)
    (directory / "source.json").write_text('{"job": "job-1"}')
    if not any(job.id == "job-1" for job in services.jobs.list()):
        services.jobs.submit("job-1", JobKind.TRAINING, {"dataset": "mnist"}, total=1, fingerprint="", owner="owner")


def test_while_there_are_no_users_nobody_is_asked(api: FlaskClient, services: Services) -> None:
    response = api.post("/api/v1/trainings", json={"recipe": "dropout-128"})

    assert response.status_code == 202
    assert response.json["owner"] is None
    assert api.get("/users").status_code == 200


def test_the_first_person_is_added_on_the_page_and_then_everybody_is_asked(app: Flask) -> None:
    form = {"name": "anna", "password": PASSWORD, "scope": "admin"}

    assert app.test_client().post("/users", data=form, headers=HERE).status_code == 303

    assert app.test_client().get("/").location == "/sign-in?next=/"
    assert "anna" in sign_in(app, "anna").get("/").text


def test_on_another_address_nothing_is_open_even_when_the_last_user_is_gone(
    app: Flask, services: Services, people: dict[str, Person]
) -> None:
    settings = services.settings.model_copy(update={"host": "0.0.0.0"})
    application = create_app(settings)
    try:
        for name in people:
            services.users.remove(name)

        assert application.test_client().get("/api/v1/jobs").status_code == 401
        assert "tenfold user add" in application.test_client().get("/sign-in").text
    finally:
        application.extensions[EXTENSION].database.close()


def test_a_call_without_a_key_is_told_how_to_send_one(api: FlaskClient, people: dict[str, Person]) -> None:
    response = api.get("/api/v1/jobs")

    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in response.json["detail"]


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic YW5uYTp4", "tf_1"])
def test_what_is_no_key_is_refused_whoever_has_signed_in(app: Flask, people: dict[str, Person], header: str) -> None:
    browser = sign_in(app, "admin")

    assert browser.get("/api/v1/jobs", headers={"Authorization": header}).status_code == 401


def test_a_revoked_key_is_refused_at_once(api: FlaskClient, services: Services, people: dict[str, Person]) -> None:
    reader = people["reader"]
    assert api.get("/api/v1/jobs", headers=reader.headers).status_code == 200

    services.keys.revoke(reader.key.rpartition("_")[0])

    assert api.get("/api/v1/jobs", headers=reader.headers).status_code == 401


def test_a_key_may_less_than_its_owner(api: FlaskClient, services: Services, people: dict[str, Person]) -> None:
    _, key = services.keys.add("admin", "looking only", Scope.READ)

    response = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}, headers={"Authorization": f"Bearer {key}"})

    assert response.status_code == 403
    assert response.json["detail"] == "Requires the `submit` scope; yours is `read`."


def test_no_key_or_password_is_logged(
    app: Flask, api: FlaskClient, people: dict[str, Person], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.get("/api/v1/jobs", headers=people["admin"].headers)
    api.get("/api/v1/jobs", headers={"Authorization": people["admin"].headers["Authorization"] + "0"})
    sign_in(app, "admin")

    assert people["admin"].key.rpartition("_")[2] not in caplog.text
    assert PASSWORD not in caplog.text


def test_a_job_says_whose_it_is_and_their_key_makes_no_other_persons_job_known(
    api: FlaskClient, people: dict[str, Person]
) -> None:
    def submit(name: str) -> str:
        headers = people[name].headers | {"Idempotency-Key": "monday"}
        response = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}, headers=headers)
        assert response.json["owner"] == name
        return str(response.json["id"])

    assert submit("owner") == submit("owner")
    assert submit("submitter") != submit("owner")


def test_corrections_of_anothers_classification_are_not_merged(
    api: FlaskClient, people: dict[str, Person], job: str
) -> None:
    def merge(name: str) -> int:
        return api.post("/api/v1/reviews", json={"classification": job}, headers=people[name].headers).status_code

    assert merge("submitter") == 403
    assert merge("owner") == 422


def test_more_than_the_quota_is_refused_with_the_remedy(
    api: FlaskClient, services: Services, people: dict[str, Person]
) -> None:
    services.users.change("owner", Scope.SUBMIT, max_jobs=1, max_bytes=None)

    def submit() -> tuple[int, str]:
        response = api.post("/api/v1/trainings", json={"recipe": "dropout-128"}, headers=people["owner"].headers)
        return response.status_code, response.json.get("detail", "")

    assert submit()[0] == 202
    status, detail = submit()
    assert status == 403
    assert "1 unfinished jobs; your quota is 1" in detail
    assert len(list((services.volume.root / "jobs").iterdir())) == 1


def test_an_upload_beyond_the_quota_is_refused_and_leaves_nothing(
    api: FlaskClient, services: Services, people: dict[str, Person], model: str
) -> None:
    services.users.change("owner", Scope.SUBMIT, max_jobs=None, max_bytes=50)

    def send(data: bytes) -> int:
        form = {"file": (io.BytesIO(data), "digits.zip")}
        return api.post("/api/v1/classifications", data=form, headers=people["owner"].headers).status_code

    assert send(zip_bytes("1.png")) == 403
    assert send(bytes(1_500_000)) == 403
    assert not list((services.volume.root / "jobs").iterdir())
    assert not list(services.volume.uploads.iterdir())


@pytest.mark.parametrize("size", [10, 1_500_000])
def test_a_repeated_upload_is_the_same_job_although_the_quota_is_used_up(
    size: int, api: FlaskClient, services: Services, people: dict[str, Person], model: str
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("1.png"), bytes(size))

    def send(key: str) -> TestResponse:
        form = {"file": (io.BytesIO(content.getvalue()), "digits.zip")}
        headers = people["owner"].headers | {"Idempotency-Key": key}
        return api.post("/api/v1/classifications", data=form, headers=headers)

    first = send("monday")
    services.users.change("owner", Scope.SUBMIT, max_jobs=1, max_bytes=10)
    again, other = send("monday"), send("tuesday")

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 403)
    assert again.json["id"] == first.json["id"]
    assert not list(services.volume.uploads.iterdir())


def test_signing_in_leads_back_to_where_one_was_going(app: Flask, people: dict[str, Person]) -> None:
    browser = app.test_client()
    asked = browser.get("/train?recipe=cnn")

    assert asked.location == "/sign-in?next=/train?recipe%3Dcnn"
    signed_in = try_to_sign_in(browser, " Reader", PASSWORD, asked.location)
    assert signed_in.location == "/train?recipe=cnn"
    assert browser.get("/train").status_code == 200


def test_the_cookie_is_for_this_site_and_for_no_script_and_on_https_stays_there(
    app: Flask, people: dict[str, Person]
) -> None:
    cookie = try_to_sign_in(app.test_client(), "reader", PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie

    form = {"name": "reader", "password": PASSWORD}
    secure = app.test_client().post("/sign-in", data=form, base_url="https://localhost")
    assert "Secure" in secure.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "train",
        "/\t/x",
    ],
)
def test_no_link_leads_through_signing_in_to_another_site(app: Flask, people: dict[str, Person], address: str) -> None:
    form = {"name": "reader", "password": PASSWORD}

    response = app.test_client().post("/sign-in", query_string={"next": address}, data=form, headers=HERE)

    assert response.location == "/"
    assert local_path("/jobs/1?a=b") == "/jobs/1?a=b"


def test_a_wrong_password_and_a_wrong_name_are_answered_alike(app: Flask, people: dict[str, Person]) -> None:
    answers = [try_to_sign_in(app.test_client(), name, "wrong horse battery") for name in ("reader", "nobody")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].text.replace("reader", "nobody") == answers[1].text


@pytest.fixture(params=["Redis there", "Redis away"])
def strict(request: pytest.FixtureRequest, app: Flask, services: Services) -> Iterator[Flask]:
    """The same server with few tries."""
    changed: dict[str, object] = {"sign_in_tries": TRIES}
    if request.param == "Redis away":
        changed["redis_url"] = "redis://127.0.0.1:1/0"
    application = create_app(services.settings.model_copy(update=changed))
    yield application
    application.extensions[EXTENSION].database.close()


def test_passwords_cannot_be_tried_one_after_the_other(strict: Flask, people: dict[str, Person]) -> None:
    for _ in range(TRIES):
        assert try_to_sign_in(strict.test_client(), "reader", "wrong horse battery").status_code == 422

    refused = try_to_sign_in(strict.test_client(), "reader", PASSWORD)

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert try_to_sign_in(strict.test_client(), "owner", PASSWORD).status_code == 303


def test_who_signs_in_well_is_not_counted(strict: Flask, people: dict[str, Person]) -> None:
    for _ in range(2 * TRIES):
        sign_in(strict, "reader")


def test_one_who_guesses_from_the_address_of_all_locks_nobody_else_out(
    strict: Flask, people: dict[str, Person]
) -> None:
    """As behind an ingress or a router."""
    for number in range(10 * TRIES + 1):
        answer = try_to_sign_in(strict.test_client(), f"name-{number}", "wrong horse battery")
        assert answer.status_code == 422

    assert try_to_sign_in(strict.test_client(), "reader", PASSWORD).status_code == 303


def test_one_name_cannot_be_tried_without_end_from_many_addresses(strict: Flask, people: dict[str, Person]) -> None:
    form = {"name": "reader", "password": "wrong horse battery"}
    answers = [
        strict.test_client()
        .post("/sign-in", data=form, headers=HERE, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"})
        .status_code
        for number in range(10 * TRIES + 1)
    ]

    assert answers == [422] * 10 * TRIES + [429]


def test_signing_out_ends_the_session_on_the_server(app: Flask, people: dict[str, Person]) -> None:
    browser, elsewhere = sign_in(app, "reader"), sign_in(app, "reader")
    cookie = browser.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    assert browser.get("/").status_code == 200

    browser.post("/sign-out", headers=HERE)

    thief = app.test_client()
    thief.set_cookie(cookie.key, cookie.value)
    assert thief.get("/").status_code == 303
    assert elsewhere.get("/").status_code == 200


def test_signing_out_takes_a_form_and_ends_the_session(app: Flask, people: dict[str, Person]) -> None:
    browser = sign_in(app, "reader")

    assert browser.get("/sign-out").status_code == 405
    browser.post("/sign-out", headers=HERE)

    assert browser.get("/").status_code == 303


def test_a_removed_person_and_a_changed_password_end_sessions(
    app: Flask, services: Services, people: dict[str, Person]
) -> None:
    removed, changed = sign_in(app, "reader"), sign_in(app, "owner")
    services.users.remove("reader")
    services.users.change_password("owner", "another password")

    assert removed.get("/").status_code == changed.get("/").status_code == 303


def test_another_sites_page_cannot_use_a_session(app: Flask, people: dict[str, Person]) -> None:
    browser = sign_in(app, "owner")
    form = {"recipe": "dropout-128"}

    assert browser.post("/train", data=form, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert browser.post("/train", data=form, headers={"Origin": "null"}).status_code == 403
    assert browser.post("/train", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.post("/train", data=form).status_code == 403
    assert browser.post("/train", data=form, headers=HERE).status_code == 303


def test_a_person_makes_keys_and_revokes_them(app: Flask, services: Services, people: dict[str, Person]) -> None:
    browser = sign_in(app, "submitter")

    made = browser.post("/account/keys", data={"name": "laptop", "scope": "admin"}, headers=HERE)

    [key] = [key for key in services.keys.list("submitter") if key.name == "laptop"]
    assert key.scope is Scope.SUBMIT
    assert f"{key.id}_" in made.text
    assert made.headers["Cache-Control"] == "no-store"
    assert f"{key.id}_" not in browser.get("/account").text
    browser.post(f"/account/keys/{key.id}/revoke", headers=HERE)
    assert key.id not in browser.get("/account").text


def test_a_person_changes_the_password_with_the_present_one(app: Flask, people: dict[str, Person]) -> None:
    browser, elsewhere = sign_in(app, "reader"), sign_in(app, "reader")

    def change(current: str, password: str) -> int:
        form = {"current": current, "password": password}
        return browser.post("/account/password", data=form, headers=HERE).status_code

    assert change("wrong horse battery", "another password") == 422
    assert change(PASSWORD, "short") == 422
    assert change(PASSWORD, "another password") == 200
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    sign_in(app, "reader", "another password")


def test_an_administrator_looks_after_the_others_but_cannot_lose_themselves(
    app: Flask, services: Services, people: dict[str, Person]
) -> None:
    browser = sign_in(app, "admin")

    def post(path: str, **form: object) -> int:
        return browser.post(path, data=form, headers=HERE).status_code

    assert post("/users/reader", scope="submit", max_jobs=3, max_gib=1.5) == 303
    reader = services.users.get("reader")
    assert (reader.scope, reader.max_jobs, reader.max_bytes) == (Scope.SUBMIT, 3, 3 * 2**29)
    assert post("/users/reader", scope="submit", max_jobs="", max_gib="") == 303
    assert services.users.get("reader").max_jobs is None
    assert post("/users/reader", scope="everything") == 422
    assert post("/users", name="carl", password="short", scope="read") == 422
    assert post("/users/reader/remove") == 303
    assert post("/users/admin/remove") == 403
    assert post("/users/admin", scope="read") == 403
    assert [user.name for user in services.users.list()] == ["admin", "owner", "submitter"]


def test_the_key_of_the_sessions_is_made_once_and_for_its_owner_only(app: Flask, services: Services) -> None:
    path = services.volume.root / "session.key"
    again = create_app(services.settings)
    again.extensions[EXTENSION].database.close()

    assert path.stat().st_mode & 0o777 == 0o600
    assert again.secret_key == app.secret_key == path.read_text()
    assert len(path.read_text()) == 64
