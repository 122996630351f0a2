"""Starts real workers by the number and watches what they cost: this side of `worker_farm`."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import psutil

from tenfold.worker.services import Services

# A task of Celery's that does nothing, to see what that alone costs.
NOTHING = "benchmark.nothing"

START_SECONDS = 120
STOP_SECONDS = 30


class Farm:
    """Workers on the services' volume, database and Redis. Made by `running_farm`."""

    def __init__(self, services: Services, process: "subprocess.Popen[str]", log: Path) -> None:
        self._services = services
        self._process = process
        self._log = log
        self._workers = 0
        self.process = psutil.Process(process.pid)

    def grow_to(self, workers: int) -> None:
        """Return when there are so many, and all are warm."""
        assert self._process.stdin is not None
        assert workers >= self._workers, "a farm does not shrink"
        self._process.stdin.write("one more\n" * (workers - self._workers))
        self._process.stdin.flush()
        self._workers = workers
        deadline = time.monotonic() + START_SECONDS
        while sum(presence.device is not None for presence in self._services.registry.online()) < workers:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise click.ClickException(f"The workers did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)


@contextmanager
def running_farm(services: Services) -> Iterator[Farm]:
    """A farm that has no worker yet."""
    log = services.settings.root / "workers.log"
    environment = os.environ | {
        "TENFOLD_DATA": str(services.settings.data),
        "TENFOLD_DATABASE_URL": services.settings.resolved_database_url.render_as_string(hide_password=False),
        "TENFOLD_REDIS_URL": services.settings.redis_url,
        "KERAS_BACKEND": "numpy",  # the stand-in work needs none, and this one loads soonest
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scale.worker_farm"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            text=True,
        )
    farm = Farm(services, process, log)
    try:
        yield farm
    finally:
        _stop(farm, process)


def processor_seconds(root: psutil.Process) -> float:
    """What a process and all that it started have computed until now."""
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def _stop(farm: Farm, process: "subprocess.Popen[str]") -> None:
    everybody = farm.process.children(recursive=True) if process.poll() is None else []
    assert process.stdin is not None
    process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    process.kill()
    for one in everybody:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()
