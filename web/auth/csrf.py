"""Refuses requests that pages of other sites make a browser send (cross-site request forgery).

With every request that changes something, browsers send where it comes from, in `Origin` or `Sec-Fetch-Site`, which no
page can forge. So forms need no tokens, and a session cookie is accepted only with one of the two. Programs send
neither, and have no cookie.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, current_app, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from tenfold.web.core.problems import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_cross_site() -> Response | None:
    if request.method in SAFE_METHODS:
        return None
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return _refuse(f"Requests from pages of {origin} are refused.")
    if site not in (None, "same-origin", "none"):
        return _refuse("Requests from pages of other sites are refused.")
    if origin is None and site is None and current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        return _refuse("A request with a session cookie needs the header `Origin`.")
    return None


def _refuse(why: str) -> Response:
    return problem(HTTPStatus.FORBIDDEN, why, code="cross_site_request")


def local_path(address: str | None) -> str:
    """The address if it is a path on this server, else `/`: so no link redirects to another site.

    Paths are relative to TENFOLD_PREFIX.
    """
    if not address or not address.startswith("/") or address[1:2] in ("/", "\\") or not address.isprintable():
        return "/"
    parts = urlsplit(address)
    return "/" if parts.scheme or parts.netloc else address


def redirect_here(address: str | None) -> AnyResponse:
    """Redirect to a path of this server; any other address leads to the home page."""
    return redirect(f"{request.script_root}{local_path(address)}", HTTPStatus.SEE_OTHER)
