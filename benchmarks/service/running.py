"""What is measured: the whole stack as `tenfold up` starts it, and a bare Flask route on a server of the same kind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import httpx

from tenfold.client import Client, Job
from tenfold.web.local.supervisor import Supervisor, free_port

RECIPE, QUICK_EPOCHS = "dense-128-64", 2

POLL_SECONDS = 0.1
START_SECONDS = 60

UNLIMITED = {"TENFOLD_MAX_REQUESTS_PER_MINUTE": "0", "TENFOLD_MAX_SUBMISSIONS_PER_MINUTE": "0"}


@contextmanager
def running_stack(datasets: Path, **settings: str) -> Iterator[Client]:
    """`tenfold up` on a volume of its own that has MNIST, with a predictor that is ready.

    Args:
        settings: in the environment's names.
    """
    with TemporaryDirectory() as directory, mock.patch.dict(os.environ, settings):
        data = Path(directory)
        (data / "datasets").mkdir()
        (data / "datasets" / "mnist").symlink_to((datasets / "mnist").resolve())
        stack = Supervisor(data, port=0, require_token=False)
        stack.start()
        try:
            with Client(stack.url) as client:
                while client.request("GET", "readyz").json()["checks"]["predictor"] != "ok":
                    time.sleep(POLL_SECONDS)
                yield client
        finally:
            stack.stop()


@contextmanager
def running_bare() -> Iterator[str]:
    """The address of a Flask application with one route."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.service.bare"],
        env=os.environ | {"TENFOLD_PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            assert process.poll() is None, "the bare route did not start"
            assert time.monotonic() < deadline, "the bare route does not answer"
            time.sleep(POLL_SECONDS)
        yield url
    finally:
        process.terminate()
        process.wait()


def train_model(client: Client) -> Job:
    trained = client.train(RECIPE, epochs=QUICK_EPOCHS).wait()
    assert trained.state == "succeeded", trained.document
    return trained


def cancel_all(client: Client) -> None:
    """End whatever is unfinished."""
    for state in ("queued", "running"):
        for item in client.listed("jobs", {"state": state, "limit": 500}):
            client.send("POST", f"jobs/{item['id']}/cancel")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
