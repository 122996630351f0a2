"""Sessions: a signed cookie with what the table of sessions knows, and nothing else."""

from datetime import timedelta

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from web.access.secret import session_key
from web.settings import WebSettings
from worker.volume import Volume


class Sessions(SecureCookieSessionInterface):
    """As Flask has them, but for a cookie that stays on https where it was given there. Without a cookie, as programs
    come, nothing is made ready to read one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return super().open_session(app, request) if "Cookie" in request.headers else SecureCookieSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session or session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers.add("Vary", "Cookie")  # all that is to be said, and ten times as fast as Flask says it

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def set_up_sessions(app: Flask, settings: WebSettings, volume: Volume) -> None:
    app.session_interface = Sessions()
    app.secret_key = settings.session_key.get_secret_value() if settings.session_key else session_key(volume)
    app.config.update(
        # Browsers keep the cookies of all ports of a machine together.
        SESSION_COOKIE_NAME=f"tenfold_session_{settings.port}",
        SESSION_COOKIE_PATH=settings.prefix or "/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings.session_seconds),
    )
