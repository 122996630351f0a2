"""Sessions: a signed cookie with a person's name and stamp, and nothing else."""

from datetime import timedelta

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface

from web.access.secret import session_key
from web.settings import WebSettings
from worker.volume import Volume


class Sessions(SecureCookieSessionInterface):
    """As Flask has them, but for a cookie that stays on https where it was given there."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def set_up_sessions(app: Flask, settings: WebSettings, volume: Volume) -> None:
    app.session_interface = Sessions()
    app.secret_key = settings.session_key.get_secret_value() if settings.session_key else session_key(volume)
    app.config.update(
        SESSION_COOKIE_NAME="tenfold_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings.session_seconds),
    )
