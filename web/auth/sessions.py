"""Sessions: a signed cookie that holds the id of a row in the table of sessions, and nothing else."""

from datetime import timedelta

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from tenfold.web.auth.secret import session_key
from tenfold.web.core.settings import WebSettings
from tenfold.worker.storage.volume import Volume


class Sessions(SecureCookieSessionInterface):
    """Flask's, but a cookie set over https is sent over https only, and requests without a cookie, as programs send
    them, skip the work of reading one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return super().open_session(app, request) if "Cookie" in request.headers else SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session or session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers.add("Vary", "Cookie")  # the same as Flask does, ten times as fast

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def set_up_sessions(app: Flask, settings: WebSettings, volume: Volume) -> None:
    app.session_interface = Sessions()
    app.secret_key = settings.session_key.get_secret_value() if settings.session_key else session_key(volume)
    app.config.update(
        # Browsers share cookies among all ports of a host.
        SESSION_COOKIE_NAME=f"tenfold_session_{settings.port}",
        SESSION_COOKIE_PATH=settings.prefix or "/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings.session_seconds),
    )
