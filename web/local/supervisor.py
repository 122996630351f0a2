"""Runs everything on one machine: Redis, a worker, a predictor and the web, as child processes that are restarted when
they die and stopped in order."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from tenfold.client import Client
from tenfold.client.start_token import address_with, forget_token, new_token, remember_token
from tenfold.web.auth.hosts import host_in_url
from tenfold.web.core.settings import WebSettings
from tenfold.web.local.parent import exit_with_parent
from tenfold.web.local.redis_server import redis_command, redis_directory, redis_url_in, wait_until_answering
from tenfold.web.local.running import LOCK, Running, open_private, read_lock, write_lock
from tenfold.worker.settings import Settings, why_invalid

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")  # nosec B104

# glibc's heaps (MALLOC_ARENA_MAX). With one per thread, each keeps the memory of the largest upload it handled.
HEAPS_OF_WEB = "2"

START_SECONDS = 60
# A worker releases its step within two seconds of SIGTERM; after this time it is killed.
STOP_SECONDS = 15
SUPERVISE_SECONDS = 0.5
RESTART_PAUSE_SECONDS = 2.0
# A child that ends this often within SOON_SECONDS of its start is not restarted again.
MAX_FAILURES = 5
SOON_SECONDS = 20.0
LINES_SHOWN = 5

# Installed by `tenfold[worker]` only.
WORKER_PACKAGES = ("keras", "cv2", "polars")


class SupervisorError(Exception):
    """Tenfold cannot start: the message says why and what to do."""


@dataclass
class Child:
    """One child process, and how to restart it."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    failures: int = 0

    def start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                # Ctrl-C reaches the parent only, which then stops its children in order.
                start_new_session=True,
                preexec_fn=partial(exit_with_parent, os.getpid()),
            )
        self.started_at = time.monotonic()
        return self.process

    def died(self) -> bool:
        """Whether it has ended by itself. Counts how often it did so soon after its start."""
        if self.process is None or self.process.poll() is None:
            return False
        soon = time.monotonic() - self.started_at < SOON_SECONDS
        self.failures = self.failures + 1 if soon else 1
        return True

    def end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LINES_SHOWN:])

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """Everything on one machine. After `start`, `stop` must be called.

    Args:
        data: root of the volume, created if missing.
        port: of the web; 0 takes a free one.
        host: address that the web serves on; other than loopback there must be users.
        predictor: whether to start a predictor.
        require_token: whether the start-up token is required while there are no users.
    """

    def __init__(
        self, data: Path, port: int, *, host: str = LOOPBACK, predictor: bool = True, require_token: bool = True
    ) -> None:
        self.data = data.resolve()
        self._port = port
        self._host = host
        self._with_predictor = predictor
        self._require_token = require_token
        self._children: list[Child] = []
        self._lock: IO[str] | None = None
        self._redis_directory: Path | None = None
        self.url = ""
        self.token: str | None = None

    @property
    def address(self) -> str:
        """The address to open in a browser; it has the token where one is required."""
        return address_with(self.url, self.token) if self.token else self.url

    def start(self) -> None:
        """Return when the web accepts jobs; on any error, stop what was started.

        Raises:
            SupervisorError: a setting is invalid, packages are missing, the port is in use, the directory is not
                writable or already in use, or a child did not start.
            RedisMissing: no Redis server program is installed.
        """
        _check_settings(self.data)
        _check_packages()
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self._lock = self._lock_directory()
        except OSError as error:
            raise SupervisorError(
                f"{self.data} is not writable: {error.strerror}. Choose another directory with --data, or "
                "allow writing there."
            ) from error
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def supervise(self, stopping: threading.Event, say: Callable[[str], None]) -> None:
        """Restart children that die, until `stopping` is set.

        Raises:
            SupervisorError: a child keeps dying.
        """
        while not stopping.wait(SUPERVISE_SECONDS):
            for child in self._children:
                if not child.died():
                    continue
                assert child.process is not None
                if child.failures == MAX_FAILURES:
                    raise SupervisorError(
                        f"The {child.name} stopped {MAX_FAILURES} times soon after its start. The end of {child.log}:\n"
                        + child.end_of_log()
                    )
                say(f"{child.name} stopped with status {child.process.returncode}; restarting it (log: {child.log})")
                if stopping.wait(RESTART_PAUSE_SECONDS):
                    return
                child.start()

    def stop(self) -> None:
        """Stop the web, then predictor and worker, then Redis: each depends on those after it."""
        if self.token:
            forget_token(self.url)
        for child in reversed(self._children):
            child.stop()
        self._children.clear()
        if self._redis_directory is not None:
            shutil.rmtree(self._redis_directory, ignore_errors=True)
            self._redis_directory = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _start(self) -> None:
        port = self._port or free_port()
        _check_port(self._host, port)
        host = LOOPBACK if self._host in EVERY_ADDRESS else self._host
        self.url = f"http://{host_in_url(host)}:{port}{WebSettings().prefix}"
        logs = self.data / "logs"
        logs.mkdir(exist_ok=True)
        self._redis_directory = redis_directory()
        redis_url = redis_url_in(self._redis_directory)
        environment = os.environ | {"TENFOLD_DATA": str(self.data), "TENFOLD_REDIS_URL": redis_url}
        environment.setdefault("TENFOLD_THREADS_PER_PROCESS", str(_threads_per_process()))

        def child(name: str, *command: str, **differently: str) -> Child:
            self._children.append(Child(name, list(command), logs / f"{name}.log", environment | differently))
            return self._children[-1]

        redis = child("redis", *redis_command(self._redis_directory)).start()
        wait_until_answering(redis_url, redis)
        child("worker", sys.executable, "-m", "tenfold.worker.process.main").start()
        predictor = (
            child(
                "predictor", sys.executable, "-m", "tenfold.worker.predictions.predictor", **_port_beside_the_worker()
            )
            if self._with_predictor
            else None
        )
        serving = ("-m", "tenfold.web.serve", "--host", self._host, "--port", str(port))
        token = self._new_token()
        secret = {"TENFOLD_TOKEN": token} if token else {"TENFOLD_REQUIRE_TOKEN": "false"}
        web = child("web", sys.executable, *serving, MALLOC_ARENA_MAX=HEAPS_OF_WEB, **secret)
        self._wait_for_web(web, web.start())
        if token and self._takes(token):
            self.token = token
            with contextlib.suppress(OSError):  # without a home directory, the token is given by TENFOLD_KEY
                remember_token(self.url, token)
        if predictor is not None:
            predictor.start()  # last: loading TensorFlow beside the web would slow the web's start
        assert self._lock is not None
        write_lock(self._lock, Running(os.getpid(), self.url, redis_url, self.token))

    def _new_token(self) -> str | None:
        settings = WebSettings()
        if not self._require_token or not settings.require_token or settings.open:
            return None
        return settings.token.get_secret_value() if settings.token else new_token()

    def _takes(self, token: str) -> bool:
        """Whether the token is accepted: it is not once there are users."""
        with Client(self.url, key=token) as client:
            return client.send("GET", "recipes").is_success

    def _wait_for_web(self, web: Child, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        with Client(self.url) as client:
            while not client.ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SupervisorError(f"The web did not start. The end of {web.log}:\n{web.end_of_log()}")
                time.sleep(0.1)

    def _lock_directory(self) -> IO[str]:
        lock = open_private(self.data / LOCK)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = read_lock(lock)
            lock.close()
            raise SupervisorError(
                f"Tenfold is already running on {self.data}: {other.url or 'still starting'} (process {other.pid}). "
                f"Use that one, stop it with `tenfold down --data {self.data}`, or choose another --data directory."
            ) from None
        write_lock(lock, Running(os.getpid()))
        return lock


def _threads_per_process() -> int:
    """All cores, divided among the processes of the worker."""
    return max(1, len(os.sched_getaffinity(0)) // Settings().worker_processes)


def _port_beside_the_worker() -> dict[str, str]:
    """The predictor serves metrics on the port after the worker's."""
    port = Settings().metrics_port
    return {} if port is None else {"TENFOLD_METRICS_PORT": str(port + 1)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise SupervisorError(
            f"{host} is not an address of this machine ({error.strerror}). Choose another with --host."
        ) from error
    except OSError as error:
        raise SupervisorError(
            f"Port {port} on {host} is already in use or not allowed ({error.strerror}). "
            "Stop the program that uses it, or choose another port with `tenfold up --port P` (make up PORT=P)."
        ) from error


def _check_settings(data: Path) -> None:
    """Report invalid settings before any child starts."""
    try:
        WebSettings(data=data)
    except ValidationError as error:
        raise SupervisorError(why_invalid(error)) from error


def _check_packages() -> None:
    missing = [package for package in WORKER_PACKAGES if find_spec(package) is None]
    if missing:
        raise SupervisorError(
            f"The worker's packages are not installed ({', '.join(missing)}). Install them: pip install 'tenfold[all]'."
        )
