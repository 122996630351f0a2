"""Errors as programs meet them: a documented code, a type that leads to its explanation, and a request ID."""

import ast
import logging
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException, default_exceptions

from tenfold.web.auth.permissions import NEEDS, Permission
from tenfold.web.core.problem_codes import PROBLEM_CODES, ProblemCode
from tenfold.web.core.problems import CODE_OF
from tenfold.worker import errors
from tenfold.worker.errors import WorkerError
from tests.paths import ROOT


@pytest.fixture
def failing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], str]:
    """Makes a call that meets this error; returns its address."""

    def failing(error: Exception) -> str:
        def fail() -> str:
            raise error

        app.add_url_rule("/api/v1/failing", "failing", fail)
        monkeypatch.setitem(NEEDS, "failing", Permission.PUBLIC)
        return "/api/v1/failing"

    return failing


@pytest.mark.parametrize("kind", default_exceptions.values(), ids=lambda kind: kind.__name__)
def test_no_http_error_leaves_without_a_code(
    kind: type[HTTPException], failing: Callable[[Exception], str], api: FlaskClient
) -> None:
    answer = api.get(failing(kind()))

    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == answer.status_code == kind.code
    assert answer.json["code"] in PROBLEM_CODES


@pytest.mark.parametrize("error", [RuntimeError("boom"), OSError(5, "bad disk"), KeyError("x")], ids=repr)
def test_an_error_of_the_server_is_found_in_its_log_by_the_request_id(
    error: Exception, failing: Callable[[Exception], str], api: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = api.get(failing(error), headers={"X-Request-ID": "my-request.17"})

    assert answer.status_code == 500
    assert answer.json["code"] == "internal_error"
    assert answer.json["request_id"] == answer.headers["X-Request-ID"] == "my-request.17"
    assert answer.json["detail"] == "Internal server error (request ID my-request.17)."
    [line] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "my-request.17" in line.getMessage()
    assert line.exc_info
    assert "boom" not in answer.text


def worker_errors() -> list[type[WorkerError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WorkerError)]


@pytest.mark.parametrize("kind", worker_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_worker_has_a_code_and_so_has_what_is_derived_from_it(
    kind: type[WorkerError], failing: Callable[[Exception], str], api: FlaskClient
) -> None:
    derived: Callable[..., WorkerError] = type("Derived", (kind,), {})
    answer = api.get(failing(derived("field", "wrong") if "field" in str(vars(kind)) else derived("wrong")))

    code = PROBLEM_CODES[next((CODE_OF[base] for base in kind.__mro__ if base in CODE_OF), "internal_error")]
    assert (answer.json["code"], answer.status_code) == (code.name, code.status)


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "a\tb"])
def test_a_request_id_that_could_not_stand_in_a_log_is_replaced(given: str, api: FlaskClient) -> None:
    made = api.get("/api/v1/jobs/nosuch", headers={"X-Request-ID": given})

    assert re.fullmatch("[0-9a-f]{32}", made.headers["X-Request-ID"])
    assert made.json["request_id"] == made.headers["X-Request-ID"]


@pytest.mark.parametrize("address", ["/", "/api/v1/healthz", "/static/tenfold.css", "/nosuch", "/api/v1/nosuch"])
def test_every_answer_has_a_request_id_of_its_own(address: str, api: FlaskClient) -> None:
    first, second = (api.get(address).headers["X-Request-ID"] for _ in range(2))

    assert first != second


def test_a_page_of_an_error_of_the_server_shows_the_request_id(app: Flask, api: FlaskClient) -> None:
    def fail() -> str:
        raise RuntimeError("boom")

    app.view_functions["home.index"] = fail

    page = api.get("/", headers={"X-Request-ID": "page-1"})

    assert page.status_code == 500
    assert "Internal server error (request ID page-1)." in page.text


@pytest.mark.parametrize("code", PROBLEM_CODES.values(), ids=PROBLEM_CODES.keys())
def test_every_code_is_documented_and_its_type_leads_to_a_page(code: ProblemCode, api: FlaskClient) -> None:
    row = f"| `{code.name}` | {code.status.value} | {code.title} | {code.remedy} |"
    assert row in (ROOT / "docs" / "reference" / "errors.md").read_text().splitlines()

    page = api.get(f"/problems/{code.name}")
    assert page.status_code == 200
    assert code.title in page.text
    assert f"/problems/{code.name}" in api.get("/problems/").text


def test_a_problem_is_of_a_type_that_leads_to_its_page(api: FlaskClient) -> None:
    problem = api.get("/api/v1/jobs/nosuch").json

    assert problem["code"] == "job_not_found"
    assert problem["title"] in api.get(problem["type"]).text


def test_every_code_that_is_named_anywhere_is_declared() -> None:
    calls = [
        call
        for path in (ROOT / "web").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    ]
    given = [word.value for call in calls for word in call.keywords if word.arg == "code"]
    given += [call.args[1] for call in calls if call.func.id == "with_code"]
    given += [call.args[0] for call in calls if call.func.id == "_answer" and call.args]
    named = {word.value for word in given if isinstance(word, ast.Constant)}

    assert len(named) > 10
    assert named | set(CODE_OF.values()) <= PROBLEM_CODES.keys()
