"""Which server the commands talk to, and with which key."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from tenfold.cli.config import config_path
from tenfold.cli.console import say
from tenfold.client import Client
from tenfold.client.connection import DEFAULT_SERVER
from tenfold.client.start_token import find_token, is_loopback

# `tenfold up` leaves its address here, in the directory it was started from.
LAST_STARTED = Path(".tenfold")

# Somebody waits at the prompt: that no server answers is reported after about three seconds.
RETRIES = 3


@dataclass(frozen=True)
class Connection:
    """The server and key in use, and in words where each was set."""

    server: str
    server_from: str
    key: str | None
    key_from: str | None


def connect(*, retries: int = RETRIES, timeout_seconds: float = 60) -> Client:
    """A client of the server that this command talks to."""
    used = connection()
    return Client(used.server, key=used.key or "", retries=retries, timeout_seconds=timeout_seconds)


def connection() -> Connection:
    """The first that is set: option, environment, configuration file, the server last started here, the default.

    A key is sent only to the server that it was set for: one in the file to the file's server, or to this machine if
    the file names none; TENFOLD_KEY to TENFOLD_SERVER, or to any server if that is not set.
    """
    root = click.get_current_context().find_root()
    server, server_from = _named(root, "server")
    if server is None:
        server, server_from = _last_started() or (DEFAULT_SERVER, "the default")
    key, key_from = _named(root, "key")
    if key and not _is_meant_for(server, root):
        key, key_from = None, None
    if key is None and (key := find_token(server)):
        key_from = "the start-up token of `tenfold up`"
    return Connection(server, server_from or "", key, key_from)


def _is_meant_for(server: str, root: click.Context) -> bool:
    """Whether the key was set for this server."""
    source = root.get_parameter_source("key")
    if source is ParameterSource.DEFAULT_MAP:
        named = (root.default_map or {}).get("server")
        return _same(server, named) if named else is_loopback(server)
    named = os.environ.get("TENFOLD_SERVER")
    return source is ParameterSource.COMMANDLINE or not named or _same(server, named)


def _same(server: str, other: str) -> bool:
    return server.rstrip("/") == other.rstrip("/")


def remember(url: str) -> None:
    """Leave the address of a server in this directory, for the commands that are run here."""
    LAST_STARTED.unlink(missing_ok=True)
    LAST_STARTED.touch(mode=0o600)
    LAST_STARTED.write_text(url + "\n")


def _named(root: click.Context, name: str) -> tuple[str | None, str | None]:
    value = root.params.get(name)
    if not value:
        return None, None
    sources = {
        ParameterSource.COMMANDLINE: f"--{name}",
        ParameterSource.ENVIRONMENT: f"TENFOLD_{name.upper()}",
        ParameterSource.DEFAULT_MAP: str(config_path()),
    }
    source = root.get_parameter_source(name)
    return value, sources.get(source) if source else None


def _last_started() -> tuple[str, str] | None:
    """The server in the file that `tenfold up` left here, unless others may have written it."""
    try:
        with LAST_STARTED.open() as file:
            about, server = os.fstat(file.fileno()), file.read().strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _ignore(f"cannot be read ({error})")
        return None
    if about.st_uid != os.geteuid():
        _ignore("belongs to another user")
    elif about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        _ignore("can be written by others")
    elif not is_loopback(server):
        _ignore("names a server that is not on this machine")
    else:
        return server, "`tenfold up` last started it from this directory"
    return None


def _ignore(why: str) -> None:
    say(f"Ignoring the file {LAST_STARTED} in this directory: it {why}.")
