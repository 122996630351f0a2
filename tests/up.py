"""The whole stack as `tenfold up` starts it, and the command as a person runs it in the same directory."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tenfold.web.local.supervisor import free_port

TENFOLD = [sys.executable, "-c", "from tenfold.cli import main; main()"]


class Up:
    """`tenfold up` in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.metrics_port = two_free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = directory / "data"
        self.address = ""
        self.token = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def process(self) -> "subprocess.Popen[str]":
        assert self._process is not None, "it was not started"
        return self._process

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*TENFOLD, "up", "--port", str(self.port)],
            cwd=self.directory,
            env=_without("TENFOLD_REQUIRE_TOKEN") | {"TENFOLD_METRICS_PORT": str(self.metrics_port)},
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heed_hangups,
        )
        assert self._process.stderr is not None
        line = ""
        while "Tenfold is up" not in line:
            line = self._process.stderr.readline()
            assert line, "tenfold up ended"
        self.address = next(word for word in line.split() if word.startswith(self.url))
        self.token = parse_qs(urlsplit(self.address).query)["token"][0]

    @property
    def headers(self) -> dict[str, str]:
        """What a program sends that shows the start-up token."""
        return {"Authorization": f"Bearer {self.token}"}

    def stop(self) -> int:
        """Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()
        return self.process.returncode

    def run(self, *arguments: str | Path, status: int = 0) -> str:
        """What a command, run in the same directory, prints: it finds the server by itself."""
        done = self._run(arguments, status)
        return done.stdout + done.stderr

    def run_json(self, *arguments: str | Path, status: int = 0) -> Any:
        return json.loads(self._run([*arguments, "-o", "json"], status).stdout.splitlines()[-1])

    def environment(self) -> dict[str, str]:
        """That of a person who has configured nothing, and who finds `tenfold` and this Python on the path."""
        tenfold = self.directory / "bin" / "tenfold"
        if not tenfold.exists():
            tenfold.parent.mkdir(exist_ok=True)
            tenfold.write_text(f"#!{sys.executable}\nfrom tenfold.cli import main\nmain()\n")
            tenfold.chmod(0o755)
        others = _without("TENFOLD_SERVER", "TENFOLD_KEY")
        path = os.pathsep.join([str(tenfold.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        return others | {"PATH": path, "TENFOLD_CONFIG": str(self.directory / "config.toml")}

    def _run(self, arguments: Sequence[str | Path], status: int) -> "subprocess.CompletedProcess[str]":
        command = [*TENFOLD, *map(str, arguments)]
        done = subprocess.run(command, cwd=self.directory, env=self.environment(), capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        return done


def _without(*names: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in names}


def _heed_hangups() -> None:
    """As a terminal does it, whatever started the tests: `nohup` has its children ignore SIGHUP."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def two_free_ports() -> int:
    """The first of two neighbors: the worker's metrics are on the one, the predictor's on the next."""
    while True:
        port = free_port()
        with socket.socket() as neighbor:
            try:
                neighbor.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
