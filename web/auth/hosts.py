"""Refuses requests whose `Host` is not a name of this server.

An attacker can make the name of their page resolve to this machine (DNS rebinding); the browser then treats the page as
ours, and while sign-in is not required it could do anything. Its name in `Host` reveals it.
"""

from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address

from flask import Flask, Response, request
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import host_is_trusted

from tenfold.web.auth.exposure import is_loopback_only
from tenfold.web.core.problems import problem
from tenfold.web.core.services import opened_services
from tenfold.web.core.settings import WebSettings

# Called by machines that know only an IP address; they reveal nothing.
HEALTH_CHECKS = frozenset({"api.health.healthz", "api.health.readyz"})


def refuse_other_hosts(settings: WebSettings) -> Response | None:
    """`400` for a name that is neither this machine's nor one of `trusted_hosts`.

    Without that setting any name is accepted once people sign in: a session is bound to the name it was created under.
    """
    if request.endpoint in HEALTH_CHECKS or _is_ours(settings):
        return None
    return problem(
        HTTPStatus.BAD_REQUEST,
        "The name in `Host` is not one of this server's. Its administrator can add it to TENFOLD_TRUSTED_HOSTS.",
        code="unknown_host",
    )


def set_up_hosts(app: Flask, settings: WebSettings) -> None:
    app.before_request(lambda: refuse_other_hosts(settings))


def host_in_url(host: str) -> str:
    """A host as it is written in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _is_ours(settings: WebSettings) -> bool:
    try:
        host = request.host
    except SecurityError:
        return False
    if not host:
        return False
    if settings.trusted_hosts:
        return _is_address(host) or host_is_trusted(host, [*settings.trusted_hosts, "localhost"])
    # Names without a dot, such as `web` between containers, exist in the local network only.
    if _is_address(host) or "." not in host or host_is_trusted(host, [".localhost"]):
        return True
    return not is_loopback_only(settings) or opened_services().users.any()


@lru_cache(maxsize=256)
def _is_address(host: str) -> bool:
    """Whether it is an IP address rather than a name: DNS cannot redirect an address."""
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
