"""While there are no users, requests through a reverse proxy are refused: they seem to come from this machine."""

from http import HTTPStatus

from flask import Flask, Response, request

from tenfold.web.core.problems import API_PREFIX, problem
from tenfold.web.core.services import opened_services
from tenfold.web.core.settings import WebSettings

# Headers that proxies add, by their WSGI names. Those that begin with X-Forwarded count too.
_FORWARDING = frozenset(
    {
        "HTTP_CF_CONNECTING_IP",
        "HTTP_FASTLY_CLIENT_IP",
        "HTTP_FORWARDED",
        "HTTP_TRUE_CLIENT_IP",
        "HTTP_VIA",
        "HTTP_X_CLIENT_IP",
        "HTTP_X_CLUSTER_CLIENT_IP",
        "HTTP_X_ENVOY_EXTERNAL_ADDRESS",
        "HTTP_X_ORIGINAL_FORWARDED_FOR",
        "HTTP_X_ORIGINAL_HOST",
        "HTTP_X_REAL_IP",
    }
)

REFUSAL = (
    "This request came through a proxy, and this server has no users yet, so it cannot tell who sent it. Add a user "
    "with `tenfold user add NAME --admin`, or set TENFOLD_OPEN=true if the proxy authenticates people."
)

# They reveal nothing.
_HEALTH = frozenset({"api.health.healthz", "api.health.readyz"})


def refuse_proxies_before_users(app: Flask, settings: WebSettings) -> None:
    """Refuse everything but health checks with `403` if a header shows a proxy, while there are no users."""

    def refuse() -> Response | None:
        if settings.open or request.endpoint in _HEALTH or not _is_forwarded() or not _no_users_yet():
            return None
        if request.path.startswith(API_PREFIX):
            return problem(HTTPStatus.FORBIDDEN, REFUSAL, code="proxied_before_users")
        return Response(f"{REFUSAL}\n", HTTPStatus.FORBIDDEN, mimetype="text/plain")

    app.before_request(refuse)


def _is_forwarded() -> bool:
    return any(name in _FORWARDING or name.startswith("HTTP_X_FORWARDED") for name in request.environ)


def _no_users_yet() -> bool:
    return opened_services().users.no_users_yet()
