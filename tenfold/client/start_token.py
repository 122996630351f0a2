"""The start-up tokens of servers that this user runs on this machine, so that commands and clients find them.

Each is a file of the user's own, mode 0600, in a folder of mode 0700. It is used only while the process that wrote it
lives, so that another program that takes the port later is not sent the token.
"""

import contextlib
import json
import os
import secrets
import stat
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ARGUMENT = "token"


def token_directory() -> Path:
    """`tenfold` in the folder for this user's state."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "tenfold"


def new_token() -> str:
    return secrets.token_urlsafe(32)


def address_with(url: str, token: str) -> str:
    """The address that signs a browser in."""
    return f"{url}/?{urlencode({ARGUMENT: token})}"


def remember_token(server: str, token: str) -> None:
    """Keep the token of a server that this process runs, for this user's clients."""
    directory = token_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    path = directory / _name(server)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"server": server, "token": token, "pid": os.getpid()}, file)


def forget_token(server: str) -> None:
    with contextlib.suppress(OSError):
        (token_directory() / _name(server)).unlink(missing_ok=True)


def find_token(server: str) -> str | None:
    """The token of a server that this user runs on this machine; None where there is none, or it has ended."""
    if not is_loopback(server):
        return None
    try:
        file = os.open(token_directory() / _name(server), os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(file) as opened:
            about = os.fstat(file)
            if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o077:
                return None
            known = json.load(opened)
        os.kill(known["pid"], 0)
        return str(known["token"])
    except (OSError, ValueError, KeyError, RuntimeError):
        return None


def is_loopback(server: str) -> bool:
    """Whether this URL names this machine by an address that no other can have."""
    host = urlsplit(server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(server: str) -> str:
    return f"port-{urlsplit(server).port or 80}.json"
