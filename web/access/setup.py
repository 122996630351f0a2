"""Puts all of this into the application."""

from datetime import UTC, datetime

from flask import Flask

from web.access.account_pages import account_pages
from web.access.asker import asker
from web.access.bodies import refuse_large_bodies
from web.access.guard import guard
from web.access.hosts import set_up_hosts
from web.access.people_pages import people_pages
from web.access.proxies import refuse_proxies_before_users
from web.access.sessions import set_up_sessions
from web.access.sign_in_pages import THROTTLE, access_pages
from web.access.sites import refuse_other_sites
from web.access.start_token import set_up_start_token
from web.access.throttle import SignInThrottle
from web.settings import WebSettings
from worker.volume import Volume


def set_up_access(app: Flask, settings: WebSettings, volume: Volume) -> None:
    """Sessions, the guard before each request, and the pages. Before anything that must not run for strangers."""
    set_up_sessions(app, settings, volume)
    app.extensions[THROTTLE] = SignInThrottle(
        settings.redis_url, tries=settings.sign_in_tries, window_seconds=settings.sign_in_window_seconds
    )
    refuse_proxies_before_users(app, settings)
    set_up_hosts(app, settings)
    set_up_start_token(app, settings)
    app.before_request(refuse_other_sites)
    app.before_request(guard)
    app.before_request(refuse_large_bodies)
    app.add_template_filter(day)
    app.context_processor(lambda: {"asker": asker})
    for blueprint in (access_pages, account_pages, people_pages):
        app.register_blueprint(blueprint)


def day(seconds: float) -> str:
    """The date of a time in seconds since the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
