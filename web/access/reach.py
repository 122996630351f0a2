"""Who can reach the server by its address. While there are no users, that should be this machine alone."""

from functools import lru_cache
from ipaddress import ip_address

from web.settings import WebSettings

REMEDY = (
    "Anybody who reaches {address} could use it, since there are no users yet. Add one first: `tenfold users add NAME "
    "--admin`. Or serve on 127.0.0.1; or set TENFOLD_OPEN=true where only people whom you trust can reach it."
)


class OpenToAll(Exception):
    """The server would be open to whoever reaches it: says what to do."""


def reaches_few(settings: WebSettings) -> bool:
    """Whether only this machine gets here, or it was said that whoever does may."""
    return settings.open or is_loopback_only(settings)


def is_loopback_only(settings: WebSettings) -> bool:
    """Whether only this machine gets here."""
    return not settings.open and _is_loopback(_host(settings))


def check_reach(settings: WebSettings, *, users: bool) -> None:
    """
    Raises:
        OpenToAll: the address is not this machine's alone, and there are no users.
    """
    if not users and not reaches_few(settings):
        raise OpenToAll(REMEDY.format(address=_host(settings) or "its port"))


def _host(settings: WebSettings) -> str:
    """Without one, a published port is one on every address."""
    if settings.published_on is None:
        return settings.host
    return settings.published_on.rpartition(":")[0].strip("[]")


@lru_cache(maxsize=16)
def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
