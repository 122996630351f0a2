"""A database of the first release is brought up to date when web or worker starts, and all in it is of use."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.datasets import Dataset
from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Record
from tenfold.worker.db.schema import current_revision, migrate, newest_revision, upgrade
from tenfold.worker.db.states import JobState
from tenfold.worker.errors import DatabaseTooNew
from tenfold.worker.jobs.submission import retry
from tenfold.worker.services import Services
from tests.conftest import every_database
from tests.postgres import Postgres
from tests.reviews import digits, work_off
from tests.uploads import received, zipped

MODEL = "01k0000000000000000000aaaa"
CLASSIFICATION = "01k0000000000000000000bbbb"
FAILED = "01k0000000000000000000cccc"
QUEUED = "01k0000000000000000000dddd"

pytestmark = every_database


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database as the first release left it."""
    if database_kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'first.db'}"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database(empty=True)
    database = Database(url)
    with database.exclusive_connection() as connection:
        upgrade(connection, "0001")
        for statement in Path(__file__).with_name("first_release.sql").read_text().splitlines():
            connection.exec_driver_sql(statement)
        if database_kind == "postgresql":
            connection.exec_driver_sql("SELECT setval('steps_id_seq', 6)")
    database.close()
    return url


@pytest.fixture
def app(tmp_path: Path, redis_url: str, database_url: str) -> Flask:
    return create_app(WebSettings(data=tmp_path / "data", redis_url=redis_url, database_url=database_url))


@pytest.fixture
def services(app: Flask) -> Services:
    opened: Services = app.extensions[EXTENSION]
    directory = opened.volume.model(MODEL)
    directory.mkdir()
    build_model(RECIPES["dropout-128"].plan, classes=10, seed=1, steps=1).save(directory / "model.keras")
    return opened


def test_every_job_of_the_first_release_can_be_read(app: Flask) -> None:
    web = app.test_client()

    jobs = {job["id"]: job for job in web.get("/api/v1/jobs").json["items"]}
    assert {id: job["state"] for id, job in jobs.items()} == {
        MODEL: "succeeded",
        CLASSIFICATION: "succeeded",
        FAILED: "failed",
        QUEUED: "queued",
    }
    for job_id in jobs:
        assert web.get(f"/api/v1/jobs/{job_id}").status_code == 200
        assert web.get(f"/jobs/{job_id}").status_code == 200
    assert jobs[FAILED]["error"] == "The train step was tried 3 times."


def test_a_model_of_the_first_release_is_listed_and_classifies(app: Flask, services: Services, mnist: Dataset) -> None:
    [listed] = app.test_client().get("/api/v1/models").json["items"]
    assert (listed["id"], listed["aliases"]) == (MODEL, ["production"])
    assert app.test_client().get("/models").status_code == 200

    upload = received(services, zipped(digits(mnist, 5)), "digits.zip")
    job = work_off(services, submit_classification(services, ClassificationParameters(), upload))

    assert job.state is JobState.SUCCEEDED, job.error
    assert job.summary is not None
    assert job.summary["images"] == 5


def test_jobs_that_had_not_ended_go_on_and_failed_ones_can_be_retried(services: Services) -> None:
    retry(services, FAILED)

    for job_id in (QUEUED, FAILED):
        [step] = services.jobs.queued_steps(job_id)
        lease = services.leases.claim(step, "worker")
        assert lease is not None
        assert lease.attempt == 1


def test_a_submission_of_then_is_known_by_its_key(services: Services) -> None:
    again = services.jobs.submitted_before("first-key", "f1")

    assert again is not None
    assert again.id == MODEL


def test_the_tables_are_those_that_this_version_declares(services: Services) -> None:
    with services.database.read() as session:
        found = inspect(session.connection())
        columns = {table: {column["name"] for column in found.get_columns(table)} for table in Record.metadata.tables}
        assert current_revision(session.connection()) == newest_revision()

    assert columns == {name: set(table.columns.keys()) for name, table in Record.metadata.tables.items()}


def test_upgrading_again_changes_nothing(services: Services) -> None:
    migrate(services.database)

    assert len(services.jobs.list()) == 4


def test_a_database_of_a_later_version_that_took_things_away_is_left_alone_with_the_remedy(services: Services) -> None:
    leave_as_a_later_version_would(services.database, usable_since="9998")

    with pytest.raises(DatabaseTooNew, match="later version of Tenfold"):
        migrate(services.database)


def test_a_database_of_a_later_version_that_only_added_to_it_is_used_as_it_is(app: Flask, services: Services) -> None:
    leave_as_a_later_version_would(services.database, usable_since=newest_revision())

    migrate(services.database)
    again = create_app(app.extensions[EXTENSION].settings)

    retry(again.extensions[EXTENSION], FAILED)
    assert again.test_client().get("/api/v1/readyz").json["checks"]["database"] == "ok"
    with services.database.read() as session:
        assert current_revision(session.connection()) == "9999"


def leave_as_a_later_version_would(database: Database, *, usable_since: str) -> None:
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("ALTER TABLE steps ADD COLUMN of_later VARCHAR(10) NOT NULL DEFAULT 'new'")
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '9999', usable_since = '{usable_since}'")
