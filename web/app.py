"""The Flask application: `create_app()`, served by gunicorn as `web.app:create_app()`."""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_bootstrap import Bootstrap5

from web.api import api
from web.api.jobs import WAITING_ROOM
from web.dataset_pages import dataset_pages
from web.pages import pages
from web.polling import WaitingRoom
from web.predict_page import predict_page
from web.problems import problem, register_problems
from web.review_pages import review_pages
from web.services import EXTENSION
from web.settings import WebSettings
from web.sweep_pages import sweep_pages
from web.uploads import UploadRequest, remove_untaken_uploads
from worker.schema import prepare_database
from worker.services import Services

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def create_app(settings: WebSettings | None = None) -> Flask:
    """The web application, with the database brought up to date.

    Args:
        settings: default: read from the environment.
    """
    settings = settings or WebSettings()
    opened = Services.open(settings)
    prepare_database(opened.database, settings)

    app = Flask(__name__)
    app.request_class = UploadRequest
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_UPLOAD_FILES=settings.max_upload_files,
        # Werkzeug's own bound on files and fields together stays behind the one on files, which says what to do.
        MAX_FORM_PARTS=settings.max_upload_files + 100,
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.extensions[EXTENSION] = opened
    app.extensions[WAITING_ROOM] = WaitingRoom(settings.max_waiting_polls)
    Bootstrap5(app)
    app.register_blueprint(api)
    app.register_blueprint(pages)
    app.register_blueprint(dataset_pages)
    app.register_blueprint(sweep_pages)
    app.register_blueprint(predict_page)
    app.register_blueprint(review_pages)
    register_problems(app)
    app.before_request(refuse_other_sites)
    app.teardown_request(remove_untaken_uploads)
    app.after_request(add_security_headers)
    return app


def refuse_other_sites() -> Response | None:
    """Nobody's page on another site may submit here: browsers name the page's origin on every such request."""
    origin = request.headers.get("Origin")
    if request.method in SAFE_METHODS or origin is None or urlsplit(origin).netloc == request.host:
        return None
    return problem(HTTPStatus.FORBIDDEN, f"Requests from pages of {origin} are not accepted.")


def add_security_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
