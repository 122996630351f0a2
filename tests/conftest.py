"""What all tests share: the real MNIST, one real Redis, and services on a volume of the test's own."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tenfold.trainer.data.datasets import Dataset, load_dataset, write_idx
from tenfold.trainer.data.fetch import ensure_dataset
from tenfold.trainer.data.files import FILES
from tenfold.web.local.redis_server import redis_command, redis_directory, redis_url_in, wait_until_answering
from tenfold.worker.db.schema import migrate
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tests.buckets import Buckets
from tests.postgres import Postgres, PostgresMissing
from tests.up import Up

# Most tests are about something else than who asks. `tests.up.Up` is asked for the token, as everybody is.
os.environ["TENFOLD_REQUIRE_TOKEN"] = "false"
# MLflow reports that it is used when it is imported.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

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
def fashion(datasets: Path) -> Dataset:
    """The real Fashion-MNIST, fetched once and kept."""
    ensure_dataset("fashion-mnist", datasets)
    return load_dataset("fashion-mnist", datasets)


@pytest.fixture(scope="session")
def redis_database() -> Iterator[Callable[[int], str]]:
    """A real Redis, started once: the URL of each of its databases, by number."""
    directory = redis_directory()
    command = [*redis_command(directory), "--databases", "1000"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_until_answering(redis_url_in(directory), process)
        yield partial(redis_url_in, directory)
        process.terminate()
    shutil.rmtree(directory)


def write_dataset(dataset: Dataset, directory: Path) -> None:
    """Put images and labels onto a volume as a data set of one's own, named as the directory is."""
    directory.mkdir(parents=True)
    arrays = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for name, values in zip(FILES, arrays, strict=True):
        write_idx(directory / name, values)


_redis_databases = itertools.count()


@pytest.fixture
def redis_url(redis_database: Callable[[int], str]) -> str:
    """A database in that Redis that no other test uses."""
    return redis_database(next(_redis_databases))


@pytest.fixture(scope="session")
def up(tmp_path_factory: pytest.TempPathFactory, datasets: Path) -> Iterator[Up]:
    """The whole stack, started once; MNIST is on its volume."""
    directory = tmp_path_factory.mktemp("up")
    (directory / "data" / "datasets").mkdir(parents=True)
    (directory / "data" / "datasets" / "mnist").symlink_to(datasets / "mnist")
    stack = Up(directory)
    stack.start()
    yield stack
    stack.stop()


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, started once, by the first test that needs it."""
    # pytest's own directories are closed to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="tenfold-postgres-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        server = Postgres(Path(directory))
        try:
            server.start()
            yield server
        except PostgresMissing as missing:
            pytest.skip(str(missing))
        finally:
            server.stop()


# Put on a module or a test whose behavior is the database's: it runs once on each.
every_database = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A migrated PostgreSQL database of the test's own; None for the default, SQLite on the volume."""
    if database_kind == "sqlite":
        yield None
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def buckets() -> Iterator[Buckets]:
    """An S3 service, started once, by the first test that needs it."""
    service = Buckets()
    service.start()
    yield service
    service.stop()


# Put on a module or a test whose behavior is the volume's: it runs once on each.
every_volume = pytest.mark.parametrize("volume_kind", ["directory", "bucket"])


@pytest.fixture
def volume_kind() -> str:
    return "directory"


@pytest.fixture
def settings(
    tmp_path: Path, redis_url: str, database_url: str | None, volume_kind: str, request: pytest.FixtureRequest
) -> Settings:
    data: str | Path = tmp_path / "data"
    if volume_kind == "bucket":
        data = request.getfixturevalue("buckets").new()
        database_url = database_url or f"sqlite:///{tmp_path / 'tenfold.db'}"
    return Settings(
        data=data, cache=tmp_path / "cache", redis_url=redis_url, database_url=database_url, progress_seconds=0
    )


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
