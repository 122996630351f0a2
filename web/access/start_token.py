"""The start-up token: while there are no users, whoever shows it may do anything, and nobody else may do more than look
at health and metrics. Jupyter and marimo do the same.

An address alone is no proof of who asks: behind a reverse proxy, strangers come from this machine too.
"""

import hashlib
import hmac
import logging
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Flask, current_app, redirect, request, session, url_for
from pydantic import SecretStr
from werkzeug.wrappers import Response

from web.access.reach import reaches_few
from web.access.sites import SAFE_METHODS, local_path, redirect_here
from web.client.start_token import ARGUMENT, address_with, new_token
from web.problems import API_PREFIX
from web.services import opened_services
from web.settings import WebSettings

EXTENSION = "tenfold-start-token"
_SESSION = "start_token"

log = logging.getLogger(__name__)


def with_start_token(settings: WebSettings, *, users: bool) -> WebSettings:
    """The settings with a token, where one is required: the one that is set, else a new one, which the log tells."""
    if not settings.require_token or settings.open or settings.token is not None:
        return settings
    token = new_token()
    if not users and reaches_few(settings):
        address = settings.published_on or f"{settings.host}:{settings.port}"
        log.warning("Open %s", address_with(f"http://{address}", token))
    return settings.model_copy(update={"token": SecretStr(token)})


def set_up_start_token(app: Flask, settings: WebSettings) -> None:
    app.extensions[EXTENSION] = settings.token.get_secret_value() if _required(settings) and settings.token else None
    app.before_request(_take_from_address)


def requires_token() -> bool:
    """Whether whoever asks while there are no users has to show the token."""
    return current_app.extensions[EXTENSION] is not None


def asks_for_token() -> bool:
    """Whether that is how one signs in now."""
    return requires_token() and opened_services().users.nobody_yet()


def has_token(shown: str | None = None) -> bool:
    """Whether this is the token; without one, whether this browser has shown it before."""
    token: str = current_app.extensions[EXTENSION]
    if shown is not None:
        return hmac.compare_digest(shown.encode(), token.encode())
    return hmac.compare_digest(str(session.get(_SESSION, "")), _digest(token))


def remember_token() -> None:
    """This browser need not show it again, until it changes."""
    session.clear()
    session.permanent = True
    session[_SESSION] = _digest(current_app.extensions[EXTENSION])


def _take_from_address() -> Response | None:
    """A page with `?token=` signs the browser in, and leads to the same page without it, so that it is not kept in the
    browser's history or in a bookmark."""
    if request.method not in SAFE_METHODS or ARGUMENT not in request.args or request.path.startswith(API_PREFIX):
        return None
    query = {name: values for name, values in request.args.lists() if name != ARGUMENT}
    clean = local_path(request.path + (f"?{urlencode(query, doseq=True)}" if query else ""))
    if asks_for_token():
        if not has_token(request.args[ARGUMENT]):
            return redirect(url_for("access.sign_in_form", next=clean, stale=1), HTTPStatus.SEE_OTHER)
        remember_token()
    return redirect_here(clean)


def _required(settings: WebSettings) -> bool:
    return settings.require_token and not settings.open


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
