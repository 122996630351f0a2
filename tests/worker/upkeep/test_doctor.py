"""What the doctor finds wrong, each with its remedy, and that a healthy installation is told so."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Model
from tenfold.worker.db.schema import newest_revision, upgrade
from tenfold.worker.jobs.queue import create_celery
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.upkeep.doctor import examine
from tenfold.worker.upkeep.findings import Finding, Status, compare_clocks
from tenfold.worker.upkeep.service_checks import check_database, check_redis
from tests.conftest import every_database
from tests.postgres import Postgres
from tests.waiting import until


def found(settings: Settings, by: Callable[[Settings], Iterable[Finding]] = examine) -> dict[str, Finding]:
    """What was found, by all checks or by those of one part, by the name of the check."""
    return {finding.check: finding for finding in by(settings)}


@every_database
def test_without_workers_and_models_the_rest_is_well(services: Services) -> None:
    findings = found(services.settings)

    problems = {name for name, finding in findings.items() if finding.status is not Status.OK}
    assert problems <= {"workers", "predictor", "production model", "disk space"}
    assert findings["workers"].status is Status.FAIL
    assert {"volume", "database", "redis", "redis memory", "redis clock"} <= findings.keys() - problems
    assert all(finding.remedy for finding in findings.values() if finding.status is not Status.OK)
    left = {path.name for path in services.volume.root.iterdir()}
    assert not [name for name in left if name.startswith(".")]


def test_the_model_in_production_is_named(services: Services) -> None:
    with services.database.write() as session:
        session.add(Model(id="m1", recipe="dropout-128", dataset="mnist", parameters={}, metrics={}, created_at=1.0))
    services.aliases.promote("m1", who=None)

    assert found(services.settings, check_database)["production model"].message == "m1 (dropout-128 on mnist)"


def test_a_volume_that_is_not_there(tmp_path: Path, redis_url: str) -> None:
    findings = found(Settings(data=tmp_path / "missing", redis_url=redis_url))

    assert findings["volume"].status is findings["database"].status is Status.FAIL
    assert "TENFOLD_DATA" in findings["volume"].remedy
    assert not (tmp_path / "missing").exists()


def test_a_redis_that_is_away_or_no_redis(settings: Settings, services: Services) -> None:
    away = found(settings.model_copy(update={"redis_url": "redis://:secret@127.0.0.1:1/0"}))
    wrong = found(settings.model_copy(update={"redis_url": "http://127.0.0.1"}))

    assert away["redis"].status is wrong["redis"].status is Status.FAIL
    assert "secret" not in away["redis"].message
    assert away["workers"].status is Status.WARN


def test_a_redis_that_drops_the_queue_when_it_is_full(settings: Settings, services: Services) -> None:
    redis = connect_redis(settings.redis_url)
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert found(settings, check_redis)["redis memory"].status is Status.WARN
        redis.config_set("maxmemory", "100mb")
        assert found(settings, check_redis)["redis memory"].status is Status.FAIL
    finally:
        redis.config_set("maxmemory", "0")
        redis.config_set("maxmemory-policy", "noeviction")


@every_database
def test_a_database_of_an_earlier_version(settings: Settings, services: Services, database_kind: str) -> None:
    with services.database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    finding = found(settings, check_database)["database"]

    assert finding.status is Status.FAIL
    assert "0001" in finding.message


def test_a_database_without_tables(postgres: Postgres, settings: Settings, services: Services) -> None:
    url = postgres.new_database(empty=True)

    assert (
        "has no tables" in found(settings.model_copy(update={"database_url": url}), check_database)["database"].message
    )


def test_a_database_that_is_away_is_told_without_its_password(settings: Settings, services: Services) -> None:
    url = "postgresql://tenfold:secret@127.0.0.1:1/tenfold"

    finding = found(settings.model_copy(update={"database_url": url}), check_database)["database"]

    assert finding.status is Status.FAIL
    assert "secret" not in finding.message


@pytest.mark.parametrize(
    ("theirs", "status"), [(100.4, Status.OK), (98.5, Status.WARN), (103.0, Status.WARN), (90.0, Status.FAIL)]
)
def test_clocks_are_compared_but_for_what_the_question_took(theirs: float, status: Status) -> None:
    assert compare_clocks("clock", theirs, before=100.0, after=100.8).status is status


@pytest.fixture
def worker(services: Services, tmp_path: Path) -> Iterator[None]:
    """A real worker; its children need not be warm for it to answer."""
    settings = services.settings
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TENFOLD_DATA": str(settings.data),
        "TENFOLD_REDIS_URL": settings.redis_url,
        "PYTHONPATH": ":".join(sys.path),
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tenfold.worker.process.main"], env=environment, stdout=log, stderr=log
        )
    control = create_celery(settings.redis_url).control
    until(lambda: control.ping(timeout=5, limit=1) or process.poll() is not None)
    assert process.poll() is None, (tmp_path / "log").read_text()
    yield
    process.terminate()
    process.wait()


@pytest.mark.usefixtures("worker")
def test_workers_are_asked_for_their_versions_clock_and_volume(services: Services, tmp_path: Path) -> None:
    findings = found(services.settings)

    [name] = [check for check in findings if check.startswith("worker ") and not check.endswith(" clock")]
    assert findings[name].status is Status.OK
    assert "keras" in findings[name].message
    assert findings[f"{name} clock"].status is Status.OK

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    database = Database(f"sqlite:///{elsewhere / 'tenfold.db'}")
    with database.exclusive_connection() as connection:
        upgrade(connection)
    database.close()
    strange = found(services.settings.model_copy(update={"data": elsewhere}))[name]
    assert strange.status is Status.FAIL
    assert "does not see this volume" in strange.message


@every_database
def test_a_database_of_a_later_version_that_this_one_can_use(
    settings: Settings, services: Services, database_kind: str
) -> None:
    with services.database.write() as session:
        session.connection().exec_driver_sql(
            f"UPDATE alembic_version SET version_num = '9999', usable_since = '{newest_revision()}'"
        )

    finding = found(settings, check_database)["database"]

    assert finding.status is Status.WARN
    assert "later version" in finding.message
