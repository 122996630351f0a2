"""What all tests share: the real MNIST, one real Redis, and services on a volume of the test's own."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainer.datasets import Dataset, load_dataset
from trainer.fetch import ensure_dataset
from web.redis_server import redis_command, wait_until_answering
from web.stack import free_port
from worker.schema import migrate
from worker.services import Services
from worker.settings import Settings

DATASETS = Path(os.environ.get("TENFOLD_TEST_DATASETS", ".cache/datasets")).resolve()


@pytest.fixture(scope="session")
def datasets() -> Path:
    """A folder that holds the real MNIST, fetched once and kept."""
    ensure_dataset("mnist", DATASETS)
    return DATASETS


@pytest.fixture(scope="session")
def mnist(datasets: Path) -> Dataset:
    return load_dataset("mnist", datasets)


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real Redis, started once."""
    port = free_port()
    command = [*redis_command(port, tmp_path_factory.mktemp("redis")), "--databases", "1000"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_until_answering(port, process)
        yield port
        process.terminate()


_redis_databases = itertools.count()


@pytest.fixture
def redis_url(redis_port: int) -> str:
    """A database in that Redis that no other test uses."""
    return f"redis://127.0.0.1:{redis_port}/{next(_redis_databases)}"


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    return Settings(data=tmp_path / "data", redis_url=redis_url, progress_seconds=0)


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    opened = Services.open(settings)
    migrate(opened.database)
    yield opened
    opened.database.close()


@dataclass(frozen=True)
class Zip:
    """A zip of PNGs and the names in it, in order."""

    path: Path
    names: list[str]
