"""The web in a process of its own, as `tenfold up` starts it, but without a worker."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import httpx

from tenfold.web.local.supervisor import free_port
from tests import patient
from tests.waiting import until


class WebProcess:
    """`python -m tenfold.web.serve` on a volume.

    Args:
        settings: in the environment's names.
    """

    def __init__(self, data: Path, redis_url: str, **settings: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.url}/api/v1"
        self._environment = os.environ | {"TENFOLD_DATA": str(data), "TENFOLD_REDIS_URL": redis_url} | settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, stderr: IO[str] | None = None) -> None:
        command = [sys.executable, "-m", "tenfold.web.serve", "--port", str(self.port)]
        self._process = subprocess.Popen(command, env=self._environment, start_new_session=True, stderr=stderr)
        until(self._answers)

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return patient.get(f"{self.api}/healthz").is_success
        return False

    def kill(self) -> None:
        """As a crash does it: nothing is finished or flushed."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
