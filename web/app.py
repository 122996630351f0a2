"""The Flask application: `create_app()`, served by gunicorn as `tenfold.web.app:create_app()`."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_bootstrap import Bootstrap5
from werkzeug.middleware.proxy_fix import ProxyFix

from tenfold.web.api.blueprint import api
from tenfold.web.api.parts.caching import compress
from tenfold.web.api.parts.job_answers import JOB_ANSWERS, JobAnswers
from tenfold.web.api.parts.polling import LONG_POLL_SLOTS, LongPollSlots
from tenfold.web.auth.setup import set_up_auth
from tenfold.web.auth.start_token import with_start_token
from tenfold.web.core.problems import register_problems
from tenfold.web.core.request_ids import add_request_ids
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.web.core.uploads import UploadRequest, remove_unused_uploads
from tenfold.web.core.url_numbers import BoundedInteger
from tenfold.web.pages.blueprints import BLUEPRINTS as PAGES
from tenfold.web.pages.images.index import EXTENSION as IMAGE_PREPARING
from tenfold.web.pages.images.index import ImagePreparing
from tenfold.web.pages.parts.delays import register_delays
from tenfold.web.pages.parts.navigation import navigation
from tenfold.web.server.metrics.page import set_up_metrics
from tenfold.web.server.overload import set_up_overload_refusals
from tenfold.web.server.path_prefix import PathPrefix
from tenfold.web.server.rate_limits import set_up_rate_limits
from tenfold.web.server.static_files import serve_static_files
from tenfold.worker.db.schema import prepare_database
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

# Browsers obey these over https only, and warn about the second elsewhere. The first makes them use https for a year.
HEADERS_ON_HTTPS = {"Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin"}


class Application(Flask):
    """Skips Flask's check for asynchronous views, a dozen times per request: there are none."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: WebSettings | None = None) -> Flask:
    """The web application; migrates the database first.

    Args:
        settings: read from the environment by default.
    """
    settings = settings or WebSettings()
    opened = Services.open(settings)
    prepare_database(opened.database, settings)
    settings = with_start_token(settings, users=opened.users.any())

    app = Application(__name__)
    app.request_class = UploadRequest
    app.url_map.converters["int"] = BoundedInteger
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_UPLOAD_FILES=settings.max_upload_files,
        # Above the limit on files, whose error message says what to do.
        MAX_FORM_PARTS=settings.max_upload_files + 100,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.extensions[EXTENSION] = opened
    app.extensions[LONG_POLL_SLOTS] = LongPollSlots(settings.max_waiting_polls)
    app.extensions[JOB_ANSWERS] = JobAnswers(opened.jobs, opened.live)
    app.extensions[IMAGE_PREPARING] = ImagePreparing()
    Bootstrap5(app)
    serve_static_files(app)
    add_request_ids(app)
    set_up_metrics(app)
    set_up_overload_refusals(app)
    for blueprint in (api, *PAGES):
        app.register_blueprint(blueprint)
    app.context_processor(navigation)
    register_problems(app)
    register_delays(app)
    set_up_auth(app, settings, opened.volume)
    set_up_rate_limits(app, connect_redis(settings.redis_url), settings)
    app.teardown_request(remove_unused_uploads)
    compress(app)
    app.after_request(add_security_headers)
    if settings.proxies:
        near = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=near, x_proto=near, x_host=near)  # type: ignore[method-assign]
    if settings.prefix:
        app.wsgi_app = PathPrefix(app.wsgi_app, settings.prefix)  # type: ignore[method-assign]
    return app


def add_security_headers(response: Response) -> Response:
    headers = response.headers
    given = {name for name, _ in headers}
    for name, value in SECURITY_HEADERS.items():
        if name not in given:
            headers.add(name, value)
    if request.is_secure:
        headers.update(HEADERS_ON_HTTPS)
    return response
