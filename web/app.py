"""The Flask application: `create_app()`, served by gunicorn as `web.app:create_app()`."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_bootstrap import Bootstrap5
from werkzeug.middleware.proxy_fix import ProxyFix

from web import classify_page, job_list, model_pages, train_pages  # noqa: F401 (their routes are on `pages`)
from web.access.setup import set_up_access
from web.access.start_token import with_start_token
from web.api import api
from web.api.caching import compress
from web.compare_pages import compare_pages
from web.dataset_pages import dataset_pages
from web.delays import register_delays
from web.home_page import home_page
from web.image_pages import image_pages
from web.image_preparing import EXTENSION as IMAGE_PREPARING
from web.image_preparing import ImagePreparing
from web.job_answers import JOB_ANSWERS, JobAnswers
from web.metrics.page import set_up_metrics
from web.navigation import navigation
from web.numbers_in_addresses import BoundedInteger
from web.overload import refuse_when_busy
from web.pages import pages
from web.path_prefix import PathPrefix
from web.polling import WAITING_ROOM, WaitingRoom
from web.predict_page import predict_page
from web.problem_pages import problem_pages
from web.problems import register_problems
from web.rate_limits import limit_rates
from web.reference_page import reference_page
from web.request_ids import name_requests
from web.review_pages import review_pages
from web.services import EXTENSION
from web.settings import WebSettings
from web.static_files import serve_static_files
from web.sweep_pages import sweep_pages
from web.uploads import UploadRequest, remove_untaken_uploads
from worker.redis import connect_redis
from worker.schema import prepare_database
from worker.services import Services

BLUEPRINTS = (
    api,
    home_page,
    pages,
    dataset_pages,
    sweep_pages,
    compare_pages,
    predict_page,
    review_pages,
    image_pages,
    reference_page,
    problem_pages,
)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

# Browsers heed these on https only, and complain of the second elsewhere. The first has them come by https for a year.
HEADERS_ON_HTTPS = {"Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin"}


class Application(Flask):
    """No view of ours is asynchronous, which Flask looks at a dozen times in every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: WebSettings | None = None) -> Flask:
    """The web application, with the database brought up to date.

    Args:
        settings: default: read from the environment.
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
        # Werkzeug's own bound on files and fields together stays behind the one on files, which says what to do.
        MAX_FORM_PARTS=settings.max_upload_files + 100,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.extensions[EXTENSION] = opened
    app.extensions[WAITING_ROOM] = WaitingRoom(settings.max_waiting_polls)
    app.extensions[JOB_ANSWERS] = JobAnswers(opened.jobs, opened.live)
    app.extensions[IMAGE_PREPARING] = ImagePreparing()
    Bootstrap5(app)
    serve_static_files(app)
    name_requests(app)
    set_up_metrics(app)
    refuse_when_busy(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.context_processor(navigation)
    register_problems(app)
    register_delays(app)
    set_up_access(app, settings, opened.volume)
    limit_rates(app, connect_redis(settings.redis_url), settings)
    app.teardown_request(remove_untaken_uploads)
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
