"""Says for a worker process or a predictor that it is there and what it does, from a thread beside the work."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version

import psutil
from redis.exceptions import RedisError

from worker.leases import Lease
from worker.presence import RENEW_SECONDS, Presence, PresenceBoard, Role, Task

log = logging.getLogger(__name__)


class SignOfLife:
    """Renews this process's line on the board until `stop`. Make it after the fork.

    A thread says it, so that a process which spends a minute in one call of TensorFlow is still seen.

    Args:
        board: where to say it.
        name: of this process, as on the rows that it claims.
        role: what it does.
    """

    def __init__(self, board: PresenceBoard, name: str, role: Role) -> None:
        self._board = board
        self._process = psutil.Process()
        self._gpu_memory: Callable[[], int | None] = lambda: None
        self._presence = Presence(
            name=name,
            role=role,
            host=socket.gethostname(),
            pid=self._process.pid,
            version=version("tenfold"),
            started_at=self._process.create_time(),
            device=None,
            memory_bytes=0,
            gpu_memory_bytes=None,
            task=None,
        )
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._keep_saying, name="sign-of-life", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the line off the board; the process is about to end."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        try:
            self._board.leave(self._presence.name)
        except RedisError as error:
            log.debug("the sign of life was not taken away: %s", error)

    def ready(self, device: str, gpu_memory: Callable[[], int | None]) -> None:
        """The libraries are loaded: say what this process computes on, and while it works what of a GPU it takes."""
        self._gpu_memory = gpu_memory
        self._change(replace(self._presence, device=device))

    @contextmanager
    def at_work(self, lease: Lease) -> Iterator[None]:
        """Say during the block that this process works on a step."""
        task = Task(job=lease.job_id, step=lease.kind, position=lease.position, since=time.time())
        self._change(replace(self._presence, task=task))
        try:
            yield
        finally:
            self._change(replace(self._presence, task=None))

    def _change(self, presence: Presence) -> None:
        self._presence = presence
        self._wake.set()

    def _keep_saying(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._board.say(self._measured())
            except RedisError as error:
                log.debug("no sign of life could be given: %s", error)
            self._wake.wait(RENEW_SECONDS)

    def _measured(self) -> Presence:
        # Asked of an idle process, TensorFlow would take hold of the GPU only to tell.
        gpu_memory = self._gpu_memory() if self._presence.task else None
        return replace(self._presence, memory_bytes=self._process.memory_info().rss, gpu_memory_bytes=gpu_memory)
