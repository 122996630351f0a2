"""Names that are scripts, on every page that shows them, in a real browser; and a page of another site that attacks."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from playwright.sync_api import Page

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job
from tenfold.worker.db.scopes import Scope
from tenfold.worker.services import Services
from tests.reviews import digits, untrained_model, work_off
from tests.uploads import received, zipped
from tests.web.browsing import browsing
from tests.web.people import PASSWORD, add_person

SCRIPTS = (
    "<img src=x onerror=attacked()>",
    '"><script>attacked()</script>',
    "javascript:attacked()",
    "' onmouseover='attacked()",
    "{{ 7 * 7 }}${attacked()}",
    "</title></script><svg onload=attacked()>",
    "<!--<iframe srcdoc='<script>parent.attacked()</script>'>",
    "&lt;script&gt;attacked()&lt;/script&gt;",
)

# What shows that a name has become more than text.
BROKEN_OUT = (
    "document.querySelectorAll('[onerror],[onload],[onmouseover],[onclick],script:not([src]),iframe,"
    'a[href^="javascript:"],img[src=x]\').length'
)


@pytest.fixture
def job(services: Services, mnist: Dataset) -> Job:
    """A classification in which everything that a stranger may name is a script."""
    untrained_model(services)
    pictures = list(digits(mnist, len(SCRIPTS)).values())
    files = {f"{script}.png": picture for script, picture in zip(SCRIPTS, pictures, strict=True)}
    files[f"{SCRIPTS[0]}broken.png"] = b"<script>attacked()</script>"
    quoted = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in files]
    files["manifest.csv"] = "\n".join([f'name,"{SCRIPTS[0]}"', *(f"{name},{name}" for name in quoted)]).encode()
    parameters = ClassificationParameters.model_validate({"review_below": 1, "max_error_rate": 0.5})
    upload = received(services, zipped(files), f"{SCRIPTS[1]}.zip")
    return work_off(services.on_behalf_of("anna"), submit_classification(services, parameters, upload))


def test_no_name_becomes_more_than_text_on_any_page(app: Flask, services: Services, job: Job) -> None:
    assert job.error is None, job.error
    add_person(services, "anna", Scope.ADMIN)
    services.keys.add("anna", SCRIPTS[0], Scope.READ)
    pages = ["/", "/jobs", f"/jobs/{job.id}", f"/jobs/{job.id}/images", f"/jobs/{job.id}/images/0"]
    pages += [f"/jobs/{job.id}/images/{len(SCRIPTS)}", f"/jobs/{job.id}/images?search={quote(SCRIPTS[0])}"]
    pages += [f"/jobs/{job.id}/review", "/account", "/users", "/models", "/classify", "/datasets", "/compare"]
    with browsing(app, refused=[404]) as page:
        attacks = _watch(page)
        page.goto(f"/sign-in?next={quote('javascript:attacked()')}")
        page.get_by_label("Username").fill("anna")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/")
        for path in pages:
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            page.wait_for_load_state("load")
            assert page.evaluate(BROKEN_OUT) == 0, path
        for script in SCRIPTS:
            page.goto(f"/jobs/{quote(script, safe='')}?recipe={quote(script)}")
            assert page.evaluate(BROKEN_OUT) == 0, script
        assert attacks == []


def test_a_form_filled_with_scripts_comes_back_as_text(app: Flask, services: Services) -> None:
    for path in ("/train", "/sweep", "/classify", "/datasets", "/compare", "/jobs", "/models"):
        for script in SCRIPTS:
            for field in ("recipe", "dataset", "model", "run", "kind", "cursor", "name", "next"):
                text = app.test_client().get(path, query_string={field: script}).text
                assert "<img src=x" not in text
                assert "<script>attacked" not in text
                assert 'href="javascript:' not in text


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """Another site, whose page is what the test says."""

    class Handler(BaseHTTPRequestHandler):
        page = ""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(self.page.encode())

        def log_message(self, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Handler, f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "nobody signs in"])
def test_a_page_of_another_site_changes_and_reads_nothing(
    app: Flask, services: Services, elsewhere: Any, signed_in: bool
) -> None:
    handler, address = elsewhere
    if signed_in:
        add_person(services, "anna", Scope.ADMIN)
    with browsing(app, refused=[403]) as page:
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.goto("/sign-in")
        here = page.url.removesuffix("/sign-in")
        if signed_in:
            page.get_by_label("Username").fill("anna")
            page.get_by_label("Password").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url("**/")
        handler.page = f"""<form method="post" action="{here}/train"><input name="recipe" value="cnn"></form>
            <form method="post" action="{here}/api/v1/trainings" enctype="text/plain">
            <input name='{{"recipe": "cnn", "x": "' value='"}}'></form>
            <form method="post" action="{here}/users"><input name="name" value="eve"><input name="scope" value="admin">
            <input name="password" value="{PASSWORD}"></form>"""
        for form in range(3):
            page.goto(address)
            with page.expect_navigation() as answered:
                page.evaluate(f"document.forms[{form}].submit()")
            assert answered.value.status == 403
        assert services.jobs.list() == []
        assert [user.name for user in services.users.list()] == (["anna"] if signed_in else [])


def _watch(page: Page) -> list[str]:
    """Everything that only a script of the attacker's would cause."""
    attacks: list[str] = []
    page.expose_function("attacked", lambda: attacks.append("a script ran"))
    page.expose_function("violated", lambda what: attacks.append(what))
    page.add_init_script("addEventListener('securitypolicyviolation', event => violated(event.violatedDirective))")
    page.on("dialog", lambda dialog: (attacks.append(dialog.message), dialog.dismiss()))
    return attacks
