"""Reports that a worker process or predictor is online and what it is doing, from a thread beside the work."""

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

from tenfold.worker.db.states import StepKind
from tenfold.worker.observability.worker_registry import RENEW_SECONDS, ProcessInfo, Role, Task, WorkerRegistry

log = logging.getLogger(__name__)


class Heartbeat:
    """Renews this process's entry in the registry until `stop`. Create it after the fork.

    It runs in a thread, so that a process which spends a minute in one call of TensorFlow still counts as online.

    Args:
        registry: where to report it.
        name: of this process, as on the rows that it claims.
        role: of this process.
    """

    def __init__(self, registry: WorkerRegistry, name: str, role: Role) -> None:
        self._registry = registry
        self._process = psutil.Process()
        self._gpu_memory: Callable[[], int | None] = lambda: None
        self._entry = ProcessInfo(
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
        self._thread = threading.Thread(target=self._run_forever, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Remove the entry; the process is about to end."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        try:
            self._registry.unregister(self._entry.name)
        except RedisError as error:
            log.debug("the heartbeat was not removed: %s", error)

    def ready(self, device: str, gpu_memory: Callable[[], int | None]) -> None:
        """Report what this process computes on, now that its libraries are loaded.

        Args:
            gpu_memory: gives the bytes of its tensors on the GPU, None without a GPU.
        """
        self._gpu_memory = gpu_memory
        self._change(replace(self._entry, device=device))

    @contextmanager
    def at_work(self, job_id: str, step: StepKind, position: int) -> Iterator[None]:
        """Report this step as the process's task during the block."""
        task = Task(job=job_id, step=step, position=position, since=time.time())
        self._change(replace(self._entry, task=task))
        try:
            yield
        finally:
            self._change(replace(self._entry, task=None))

    def _change(self, entry: ProcessInfo) -> None:
        self._entry = entry
        self._wake.set()

    def _run_forever(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._registry.register(self._measured())
            except RedisError as error:
                log.debug("no heartbeat was sent: %s", error)
            self._wake.wait(RENEW_SECONDS)

    def _measured(self) -> ProcessInfo:
        # In an idle process, asking TensorFlow would reserve GPU memory.
        gpu_memory = self._gpu_memory() if self._entry.task else None
        return replace(self._entry, memory_bytes=self._process.memory_info().rss, gpu_memory_bytes=gpu_memory)
