"""Which server the commands talk to, and with which key."""

from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from web.client import Client
from web.client.connection import DEFAULT_SERVER
from web.commands.config import config_path

# `tenfold up` leaves its address here, in the directory it was started from.
LAST_STARTED = Path(".tenfold")

# A person waits at the prompt: a server that is not there is told after some three seconds.
RETRIES = 3


@dataclass(frozen=True)
class Connection:
    """What is used, and in words where each part was set."""

    server: str
    server_from: str
    key: str | None
    key_from: str | None


def connect(*, retries: int = RETRIES, timeout_seconds: float = 60) -> Client:
    """A client of the server that this invocation is to talk to."""
    used = connection()
    return Client(used.server, key=used.key, retries=retries, timeout_seconds=timeout_seconds)


def connection() -> Connection:
    """The first that is set: option, environment, configuration file, the server last started here, the default.

    A key in the file goes to the file's server only, not to one that is named elsewhere.
    """
    root = click.get_current_context().find_root()
    file = root.default_map or {}
    server, server_from = _named(root, "server")
    key, key_from = _named(root, "key")
    if server is None:
        server, server_from = _last_started() or (DEFAULT_SERVER, "the default")
    if root.get_parameter_source("key") is ParameterSource.DEFAULT_MAP and server != file.get("server", server):
        key, key_from = None, None
    return Connection(server, server_from or "", key, key_from)


def remember(url: str) -> None:
    LAST_STARTED.write_text(url + "\n")


def _named(root: click.Context, name: str) -> tuple[str | None, str | None]:
    value = root.params.get(name)
    if not value:
        return None, None
    said = {
        ParameterSource.COMMANDLINE: f"--{name}",
        ParameterSource.ENVIRONMENT: f"TENFOLD_{name.upper()}",
        ParameterSource.DEFAULT_MAP: str(config_path()),
    }
    source = root.get_parameter_source(name)
    return value, said.get(source) if source else None


def _last_started() -> tuple[str, str] | None:
    if not LAST_STARTED.is_file():
        return None
    return LAST_STARTED.read_text().strip(), "`tenfold up` last started it from this directory"
