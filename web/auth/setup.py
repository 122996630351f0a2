"""Adds sessions and all checks to the application."""

from datetime import UTC, datetime

from flask import Flask

from tenfold.web.auth.csrf import refuse_cross_site
from tenfold.web.auth.guard import guard
from tenfold.web.auth.hosts import set_up_hosts
from tenfold.web.auth.identity import current_identity
from tenfold.web.auth.proxies import refuse_proxies_before_users
from tenfold.web.auth.sessions import set_up_sessions
from tenfold.web.auth.start_token import set_up_start_token
from tenfold.web.auth.throttle import THROTTLE, SignInThrottle
from tenfold.web.core.body_limits import refuse_large_bodies
from tenfold.web.core.settings import WebSettings
from tenfold.worker.storage.volume import Volume


def set_up_auth(app: Flask, settings: WebSettings, volume: Volume) -> None:
    """Sessions, and the checks before each request. Call before registering anything that needs authorization."""
    set_up_sessions(app, settings, volume)
    app.extensions[THROTTLE] = SignInThrottle(
        settings.redis_url, tries=settings.sign_in_tries, window_seconds=settings.sign_in_window_seconds
    )
    refuse_proxies_before_users(app, settings)
    set_up_hosts(app, settings)
    set_up_start_token(app, settings)
    app.before_request(refuse_cross_site)
    app.before_request(guard)
    app.before_request(refuse_large_bodies)
    app.add_template_filter(day)
    app.context_processor(lambda: {"current_identity": current_identity})


def day(seconds: float) -> str:
    """The date of a time in seconds since the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
