"""Refuses requests that call this server by a name that is not its own.

A page of the attacker's whose name suddenly stands for this machine (DNS rebinding) is a page of our own to the
browser; while nobody has to sign in, it could do anything. It gives itself away by its name in `Host`.
"""

from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address

from flask import Flask, Response, request
from werkzeug.exceptions import SecurityError
from werkzeug.sansio.utils import host_is_trusted

from web.access.reach import is_loopback_only
from web.problems import problem
from web.services import opened_services
from web.settings import WebSettings

# Asked by machines that know an address only; they tell nobody anything.
ASKED_BY_MACHINES = frozenset({"api.healthz", "api.readyz"})


def refuse_other_hosts(settings: WebSettings) -> Response | None:
    """`400` for a name that is neither this machine's nor one of `trusted_hosts`.

    Without that setting any name will do where people sign in: a session is bound to the name that it was made under.
    """
    if request.endpoint in ASKED_BY_MACHINES or _is_ours(settings):
        return None
    return problem(
        HTTPStatus.BAD_REQUEST,
        "This server does not go by the name in `Host`. Whoever runs it can add the name to TENFOLD_TRUSTED_HOSTS.",
        code="unknown_host",
    )


def set_up_hosts(app: Flask, settings: WebSettings) -> None:
    app.before_request(lambda: refuse_other_hosts(settings))


def in_address(host: str) -> str:
    """A host as an address has it before the port: an IPv6 address in brackets."""
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
    # A name of one part, as `web` between containers, is one of the local network: the public one gives none out.
    if _is_address(host) or "." not in host or host_is_trusted(host, [".localhost"]):
        return True
    return not is_loopback_only(settings) or opened_services().users.any()


@lru_cache(maxsize=256)
def _is_address(host: str) -> bool:
    """Whether it is an address rather than a name: nobody can make that stand for another."""
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
