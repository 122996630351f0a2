"""The real stack, each part a process that can be killed: Redis, the web and some workers."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.chaos.clocks import MovableClock
from tenfold.web.local.redis_server import redis_command, redis_directory, redis_url_in, wait_until_answering
from tenfold.web.local.supervisor import free_port
from tenfold.worker.priority import NICENESS
from tenfold.worker.redis import connect_redis

RESTART_SECONDS = 0.5
STOP_SECONDS = 20.0

# Workers' children give way to everything else on the machine by this much. Here that would starve them of the time in
# which they can be disturbed. It takes root's rights; without, they are started all the same.
IN_FRONT = ("nice", "-n", str(-NICENESS))

# Short, so that what is lost is taken over while somebody looks on.
LEASE_SECONDS = 4.0
SHARD_IMAGES = 200
SETTINGS = {
    "TENFOLD_REQUIRE_TOKEN": "false",
    "TENFOLD_LEASE_SECONDS": str(LEASE_SECONDS),
    "TENFOLD_LEASE_CHECK_SECONDS": "0.5",
    "TENFOLD_RECONCILE_SECONDS": "1",
    "TENFOLD_PROGRESS_SECONDS": "0.2",
    "TENFOLD_SHARD_IMAGES": str(SHARD_IMAGES),
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


@dataclass
class Member:
    """A process that is started again whenever it ends. `groups` are those of all its lives.

    Each has a process group, to be killed whole, and no session of its own: in one, a worker's children would give way
    to everything else on the machine.
    """

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str]
    groups: set[int] = field(default_factory=set)
    meant_to_die: bool = False
    started_at: float = 0.0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> "subprocess.Popen[bytes]":
        self.meant_to_die = False
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                process_group=0,
            )
        self.groups.add(self.process.pid)
        self.started_at = time.monotonic()
        return self.process

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def ended(self) -> int | None:
        """With what status it ended; None while it runs."""
        assert self.process is not None
        return self.process.poll()

    def children(self) -> list[int]:
        try:
            return [process.pid for process in psutil.Process(self.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self, *, group: bool) -> None:
        """SIGKILL the process, or it and all that it started."""
        self.meant_to_die = True
        try:
            (os.killpg if group else os.kill)(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def signal_group(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return


class Fleet:
    """Redis, web and workers over one volume and one database. The caller must stop it.

    Args:
        data: root of the volume.
        directory: for logs, and what is no part of the volume.
        database_url: None for SQLite on the volume.
        workers: how many.
        clocks: of each worker, and the last one of the web.
        say: told of processes that end by themselves.
    """

    def __init__(
        self,
        data: Path,
        directory: Path,
        database_url: str | None,
        workers: int,
        clocks: Sequence[MovableClock],
        say: Callable[[str], None],
    ) -> None:
        self.data = data
        self.web_port = free_port()
        self._redis_directory = redis_directory()
        self.redis_url = redis_url_in(self._redis_directory)
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.deaths: list[str] = []
        self._say = say
        self._stopping = threading.Event()
        self._environment = os.environ | SETTINGS | {"TENFOLD_DATA": str(data), "TENFOLD_REDIS_URL": self.redis_url}
        if database_url:
            self._environment["TENFOLD_DATABASE_URL"] = database_url
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.redis = self._member("redis", redis_command(self._redis_directory))
        self.web = self._member("web", clocks[-1].command("tenfold.web.serve", "--port", str(self.web_port)))
        self.workers = [
            self._member(f"worker-{number}", [*IN_FRONT, *clock.command("tenfold.worker.process.main")])
            for number, clock in zip(range(1, workers + 1), clocks, strict=False)
        ]
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def start(self) -> None:
        wait_until_answering(self.redis_url, self.redis.start())
        for member in (self.web, *self.workers):
            member.start()
        self._supervisor.start()

    def stop(self) -> None:
        """SIGTERM, as an orderly stop of a machine does; then whatever is left is killed."""
        self._stopping.set()
        self._supervisor.join()
        members = (self.web, *self.workers, self.redis)
        for number in (signal.SIGCONT, signal.SIGTERM):
            for member in members:
                member.signal_group(number)
        for member in members:
            with suppress(subprocess.TimeoutExpired):
                assert member.process is not None
                member.process.wait(STOP_SECONDS)
        for group in {group for member in members for group in member.groups}:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        shutil.rmtree(self._redis_directory, ignore_errors=True)

    def writers(self) -> list[int]:
        """Every process that writes to the volume."""
        members = (self.web, *self.workers)
        return [pid for member in members for pid in (member.pid, *member.children())]

    def flush_redis(self) -> None:
        with connect_redis(self.redis_url) as redis:
            redis.flushall()

    def limit_redis(self, max_bytes: int) -> None:
        """Let Redis refuse every write that needs memory beyond this; 0 for no limit."""
        with connect_redis(self.redis_url) as redis:
            redis.config_set("maxmemory-policy", "noeviction")
            redis.config_set("maxmemory", max_bytes)

    def log_lines(self, word: str) -> int:
        """How many lines of the processes' logs have this in them."""
        logs = self._directory.glob("*.log")
        return sum(word in line for log in logs for line in log.read_text(errors="replace").splitlines())

    def _member(self, name: str, command: list[str]) -> Member:
        return Member(name, command, self._directory / f"{name}.log", self._environment)

    def _supervise(self) -> None:
        while not self._stopping.wait(0.2):
            for member in (self.redis, self.web, *self.workers):
                status = member.ended()
                if status is None or time.monotonic() - member.started_at < RESTART_SECONDS:
                    continue
                if not member.meant_to_die:
                    self.deaths.append(f"{member.name} ended by itself with status {status}")
                    self._say(f"{self.deaths[-1]}, see {member.log}")
                member.start()
