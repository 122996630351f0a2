"""While there are no users, nobody may come through a reverse proxy: it makes strangers look like this machine."""

from http import HTTPStatus

from flask import Flask, Response, request

from web.problems import API_PREFIX, problem
from web.services import opened_services
from web.settings import WebSettings

# What proxies add to a request, as WSGI names headers. Those that begin with X-Forwarded count as well.
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
    "This request came through a proxy, and this server has no users yet: nobody knows who asks. Add the first with "
    "`tenfold users add NAME --admin`. Where the proxy itself asks people who they are, set TENFOLD_OPEN=true."
)

# Asked by machines; they tell nobody anything.
_HEALTH = frozenset({"api.healthz", "api.readyz"})


def refuse_proxies_before_users(app: Flask, settings: WebSettings) -> None:
    """Refuse everything but health checks with `403` where a header shows a proxy, as long as there are no users."""

    def refuse() -> Response | None:
        if settings.open or request.endpoint in _HEALTH or not _is_forwarded() or not _nobody():
            return None
        if request.path.startswith(API_PREFIX):
            return problem(HTTPStatus.FORBIDDEN, REFUSAL, code="proxied_before_users")
        return Response(f"{REFUSAL}\n", HTTPStatus.FORBIDDEN, mimetype="text/plain")

    app.before_request(refuse)


def _is_forwarded() -> bool:
    return any(name in _FORWARDING or name.startswith("HTTP_X_FORWARDED") for name in request.environ)


def _nobody() -> bool:
    return opened_services().users.nobody_yet()
