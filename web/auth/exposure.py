"""Whether other machines can reach the server: while there are no users, only this machine should."""

from functools import lru_cache
from ipaddress import ip_address

from tenfold.web.core.settings import WebSettings

REMEDY = (
    "Everybody who can reach {address} could use it, since there are no users yet. Add one first: `tenfold user add "
    "NAME --admin`. Or serve on 127.0.0.1; or set TENFOLD_OPEN=true if only people you trust can reach it."
)


class OpenToEveryone(Exception):
    """The server would be open to everybody who can reach it: the message says what to do."""


def is_access_restricted(settings: WebSettings) -> bool:
    """Whether only this machine, or with TENFOLD_OPEN only trusted people, can reach the server."""
    return settings.open or is_loopback_only(settings)


def is_loopback_only(settings: WebSettings) -> bool:
    """Whether only this machine can reach the server."""
    return not settings.open and _is_loopback(_host(settings))


def check_exposure(settings: WebSettings, *, users: bool) -> None:
    """
    Raises:
        OpenToEveryone: other machines can reach the address, and there are no users.
    """
    if not users and not is_access_restricted(settings):
        raise OpenToEveryone(REMEDY.format(address=_host(settings) or "its port"))


def _host(settings: WebSettings) -> str:
    """A published port without an address is open on every address."""
    if settings.published_on is None:
        return settings.host
    return settings.published_on.rpartition(":")[0].strip("[]")


@lru_cache(maxsize=16)
def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
