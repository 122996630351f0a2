"""`tenfold up` and `tenfold down` as processes: nothing outlives them, and what cannot start says why."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tenfold.web.local.running import find_running
from tenfold.web.local.supervisor import free_port
from tests import patient
from tests.up import TENFOLD, Up
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Up]]:
    """Starts a stack in a directory of the test's own, again where the test stopped it."""
    started: list[Up] = []

    def start() -> Up:
        started.append(Up(tmp_path))
        started[-1].start()
        return started[-1]

    yield start
    for stack in started:
        if stack.process.poll() is None:
            stack.stop()


def processes_of(stack: Up) -> list[psutil.Process]:
    return psutil.Process(stack.process.pid).children(recursive=True)


def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | settings
    return subprocess.run([*TENFOLD, *arguments], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_nothing_outlives_it_however_it_ends(start: Callable[[], Up], number: signal.Signals) -> None:
    stack = start()
    children = processes_of(stack)
    assert {"redis", "worker", "predictor", "web"} <= {path.stem for path in (stack.data / "logs").iterdir()}

    stack.process.send_signal(number)

    _, alive = psutil.wait_procs(children, timeout=PATIENCE_SECONDS)
    assert alive == []
    stack.process.communicate()
    assert find_running(stack.data) is None


def test_down_stops_it_and_says_what_it_did(start: Callable[[], Up]) -> None:
    stack = start()
    children = processes_of(stack)

    stopped = stack.run("down")

    assert "Stopped Tenfold on" in stopped
    stack.process.communicate()
    assert stack.process.returncode == 0
    assert [child for child in children if child.is_running()] == []
    assert "Tenfold is not running on" in stack.run("down")


def test_it_serves_on_ipv6_from_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    port = free_port()
    command = [*TENFOLD, "up", "--host", "::1", "--port", str(port), "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, cwd="/proc", stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = [process.stderr.readline(), process.stderr.readline()]
        answer = patient.get(f"http://[::1]:{port}/api/v1/healthz", trust_env=False)
        process.send_signal(signal.SIGINT)

    assert "give commands --server http://[::1]:" in said[0]
    assert f"up at http://[::1]:{port}" in said[1]
    assert answer.status_code == 200


def test_a_child_that_does_not_stay_alive_is_said_with_the_end_of_its_log(tmp_path: Path) -> None:
    ended = run("up", "--port", "0", "--data", str(tmp_path / "data"), KERAS_BACKEND="nonsense")

    assert ended.returncode == 1
    assert "stopped 5 times soon after its start" in ended.stderr
    assert "nonsense" in ended.stderr
    assert "Traceback (most recent call last)" not in ended.stderr.partition("The end of")[0]


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["--data", "/proc/nowhere"], {}, "/proc/nowhere is not writable"),
        (["--host", "nowhere.invalid"], {}, "nowhere.invalid is not an address"),
        ([], {"TENFOLD_LEASE_SECONDS": "soon"}, "TENFOLD_LEASE_SECONDS is 'soon': Input should be a valid number"),
        ([], {"TENFOLD_DATABASE_URL": "mysql//x"}, "TENFOLD_DATABASE_URL is invalid: expected an SQLAlchemy URL"),
    ],
)
def test_what_cannot_start_says_why_in_a_sentence(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], said: str
) -> None:
    ended = run("up", "--port", "0", "--data", str(tmp_path / "data"), *arguments, **settings)

    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_packages_of_a_worker_it_says_what_to_install(tmp_path: Path) -> None:
    without = "import sys; sys.modules['keras'] = None; from tenfold.cli import main; main()"
    command = [sys.executable, "-c", without, "up", "--data", str(tmp_path / "data")]

    ended = subprocess.run(command, capture_output=True, text=True)

    assert ended.returncode == 1
    assert "pip install 'tenfold[all]'" in ended.stderr


def test_a_process_whose_settings_are_invalid_names_them(tmp_path: Path) -> None:
    environment = os.environ | {"TENFOLD_DATA": str(tmp_path), "TENFOLD_MAX_ATTEMPTS": "0"}

    ended = subprocess.run(
        [sys.executable, "-m", "tenfold.worker.process.main"], env=environment, capture_output=True, text=True
    )

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == ("TENFOLD_MAX_ATTEMPTS is '0': Input should be greater than or equal to 1.")
