"""Which model answers where none is named: the one in production. A training that merely ended changes nothing."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import AliasChange, Model
from tenfold.worker.db.schema import upgrade
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.jobs.leases import Lease, LeaseStore
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.models.aliases import AliasStore
from tenfold.worker.models.registry import ModelStore
from tenfold.worker.services import Services
from tests.conftest import Clock, every_database
from tests.uploads import received, zipped


@pytest.fixture
def models(database: Database) -> ModelStore:
    return ModelStore(database)


@pytest.fixture
def aliases(database: Database, clock: Clock) -> AliasStore:
    return AliasStore(database, clock)


def model(model_id: str, **values: bool) -> Model:
    return Model(
        id=model_id,
        recipe="cnn",
        dataset="mnist",
        parameters={},
        metrics={},
        created_at=1.0,
        **{"trial": False} | values,
    )


def claimed(jobs: JobStore, leases: LeaseStore, job_id: str) -> Lease:
    jobs.submit(job_id, JobKind.TRAINING, {}, total=1, fingerprint=job_id)
    [step] = jobs.queued_steps(job_id)
    lease = leases.claim(step, "worker")
    assert lease is not None
    return lease


def trained(jobs: JobStore, leases: LeaseStore, job_id: str) -> list[str]:
    """A training that succeeds; returns the notes of its summary."""
    leases.finish_job(claimed(jobs, leases, job_id), {"notes": ["as it went"]}, model=model(job_id))
    summary = jobs.get(job_id).summary
    assert summary is not None
    as_it_went, *others = summary["notes"]
    assert as_it_went == "as it went"
    return list(others)


def in_production(models: ModelStore) -> str | None:
    found = models.in_production()
    return found.id if found else None


@every_database
def test_the_first_model_goes_into_production_and_later_ones_do_not(
    jobs: JobStore, leases: LeaseStore, models: ModelStore, aliases: AliasStore
) -> None:
    first, second = trained(jobs, leases, "a"), trained(jobs, leases, "b")

    assert in_production(models) == "a"
    assert first == ["It is the first model, so the alias production names it."]
    assert second == ["The alias production still names a (cnn on mnist). To promote this one: tenfold model promote b"]
    aliases.promote("b", who=None)
    trained(jobs, leases, "c")
    assert in_production(models) == "b"


@every_database
def test_where_none_is_in_production_no_training_steps_in(
    jobs: JobStore, leases: LeaseStore, models: ModelStore, aliases: AliasStore
) -> None:
    trained(jobs, leases, "a")
    trained(jobs, leases, "b")
    aliases.delete("production", who=None)

    assert trained(jobs, leases, "c") == [
        "The alias production names no model. To promote this one: tenfold model promote c"
    ]
    assert in_production(models) is None
    with pytest.raises(InvalidSubmission, match=r"No model was named.*tenfold model promote"):
        models.serving(None)
    assert models.serving("b").id == "b"


@every_database
def test_of_two_that_end_at_once_one_is_the_first(
    jobs: JobStore, leases: LeaseStore, models: ModelStore, database: Database
) -> None:
    claims = [claimed(jobs, leases, job_id) for job_id in ("a", "b")]
    together = threading.Barrier(2)

    def finish(lease: Lease) -> None:
        together.wait()
        leases.finish_job(lease, {}, model=model(lease.job_id))

    threads = [threading.Thread(target=finish, args=(lease,)) for lease in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as session:
        [change] = session.scalars(select(AliasChange)).all()
    assert change.model in ("a", "b")
    notes = sorted(jobs.get(job_id).summary["notes"][0][:12] for job_id in ("a", "b"))  # type: ignore[index]
    assert notes == ["It is the fi", "The alias pr"]


def test_a_sweeps_trial_is_never_the_first_model(jobs: JobStore, leases: LeaseStore, models: ModelStore) -> None:
    leases.finish_job(claimed(jobs, leases, "a"), {}, model=model("a", trial=True))

    assert in_production(models) is None
    assert trained(jobs, leases, "b") == ["It is the first model, so the alias production names it."]


@every_database
@pytest.mark.parametrize(
    ("rows", "served"),
    [
        ([("a", False, False), ("b", False, False), ("c", False, True)], "b"),
        ([("a", True, False), ("b", False, False)], "a"),
        ([("a", False, True)], None),
    ],
    ids=["the newest", "the chosen one", "trials only"],
)
def test_an_upgrade_keeps_what_answered_until_then(
    tmp_path: Path, database_url: str | None, rows: list[tuple[str, bool, bool]], served: str | None
) -> None:
    database = Database(database_url or f"sqlite:///{tmp_path / 'old.db'}")
    with database.exclusive_connection() as connection:
        if database_url is not None:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        upgrade(connection, "0008")
    with database.write() as session:
        session.add_all(model(model_id, pinned=pinned, trial=trial) for model_id, pinned, trial in rows)
    with database.exclusive_connection() as connection:
        upgrade(connection)

    assert in_production(ModelStore(database)) == served
    database.close()


def test_a_classification_without_a_model_says_how_to_choose_one(services: Services, mnist: Dataset) -> None:
    with services.database.write() as session:
        session.add(model("a"))

    with pytest.raises(InvalidSubmission, match="tenfold model promote MODEL"):
        submit_classification(
            services, ClassificationParameters(), received(services, zipped({"0.png": png(mnist.test_images[0])}))
        )
