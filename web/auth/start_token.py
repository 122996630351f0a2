"""The start-up token: while there are no users, requests with it may do anything, all others only read health and
metrics. Jupyter and marimo do the same.

The IP address proves nothing: behind a reverse proxy, every request comes from this machine.
"""

import hashlib
import hmac
import logging
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Flask, current_app, redirect, request, session, url_for
from pydantic import SecretStr
from werkzeug.wrappers import Response

from tenfold.client.start_token import ARGUMENT, address_with, new_token
from tenfold.web.auth.csrf import SAFE_METHODS, local_path, redirect_here
from tenfold.web.auth.exposure import is_access_restricted
from tenfold.web.core.problems import API_PREFIX
from tenfold.web.core.services import opened_services
from tenfold.web.core.settings import WebSettings

EXTENSION = "tenfold-start-token"
_SESSION = "start_token"

log = logging.getLogger(__name__)


def with_start_token(settings: WebSettings, *, users: bool) -> WebSettings:
    """The settings with a token if one is required: the configured one, else a new one, which is logged."""
    if not settings.require_token or settings.open or settings.token is not None:
        return settings
    token = new_token()
    if not users and is_access_restricted(settings):
        address = settings.published_on or f"{settings.host}:{settings.port}"
        log.warning("Open in a browser: %s", address_with(f"http://{address}", token))
    return settings.model_copy(update={"token": SecretStr(token)})


def set_up_start_token(app: Flask, settings: WebSettings) -> None:
    app.extensions[EXTENSION] = settings.token.get_secret_value() if _required(settings) and settings.token else None
    app.before_request(_take_from_address)


def is_token_required() -> bool:
    """Whether the token is required while there are no users."""
    return current_app.extensions[EXTENSION] is not None


def is_token_accepted() -> bool:
    """Whether there are no users yet, so that the token signs in."""
    return is_token_required() and opened_services().users.no_users_yet()


def has_token(shown: str | None = None) -> bool:
    """Whether `shown` is the token; without it, whether this browser has sent the token before."""
    token: str = current_app.extensions[EXTENSION]
    if shown is not None:
        return hmac.compare_digest(shown.encode(), token.encode())
    return hmac.compare_digest(str(session.get(_SESSION, "")), _digest(token))


def remember_token() -> None:
    """Sign this browser in until the token changes."""
    session.clear()
    session.permanent = True
    session[_SESSION] = _digest(current_app.extensions[EXTENSION])


def _take_from_address() -> Response | None:
    """Sign in by `?token=` of a page, and redirect to the page without it, to keep it out of history and bookmarks."""
    if request.method not in SAFE_METHODS or ARGUMENT not in request.args or request.path.startswith(API_PREFIX):
        return None
    query = {name: values for name, values in request.args.lists() if name != ARGUMENT}
    clean = local_path(request.path + (f"?{urlencode(query, doseq=True)}" if query else ""))
    if is_token_accepted():
        if not has_token(request.args[ARGUMENT]):
            return redirect(url_for("sign_in.form", next=clean, stale=1), HTTPStatus.SEE_OTHER)
        remember_token()
    return redirect_here(clean)


def _required(settings: WebSettings) -> bool:
    return settings.require_token and not settings.open


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
