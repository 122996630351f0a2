"""A real browser on the web application, which serves from this process."""

import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from playwright.sync_api import ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from tests.waiting import PATIENCE_MS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def browsing(app: Flask, *, refused: Collection[int] = (), **context: Any) -> Iterator[Page]:
    """A page of a browser, whose addresses begin at the application.

    Args:
        refused: the statuses of answers that are expected, of which browsers complain.
        context: of Playwright's `new_context`, as `viewport` and `has_touch`.

    Raises:
        AssertionError: when the block ends, where a page had an error on its console.
    """
    assert CHROMIUM, "the page tests need Chromium: `make test` installs it with apt-get"
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    complaints: list[str] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
            )
            page = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", **context).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("console", lambda said: complaints.append(_told(said)) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            yield page
            browser.close()
    finally:
        server.shutdown()
        serving.join()
    unexpected = [said for said in complaints if not any(f"status of {status}" in said for status in refused)]
    assert unexpected == [], "\n".join(unexpected)


def _told(said: ConsoleMessage) -> str:
    return f"{said.text} ({said.location['url']})"
