"""Which model serves where none is named: one that was promoted. A training that merely ended changes nothing."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Model
from tenfold.worker.db.schema import upgrade
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.jobs.leases import Lease, LeaseStore
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.models.registry import ModelStore
from tenfold.worker.services import Services
from tests.conftest import every_database
from tests.uploads import received, zipped


@pytest.fixture
def models(database: Database) -> ModelStore:
    return ModelStore(database)


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


def default_of(models: ModelStore) -> str | None:
    found = models.default()
    return found.id if found else None


@every_database
def test_the_first_model_becomes_the_default_and_later_ones_do_not(
    jobs: JobStore, leases: LeaseStore, models: ModelStore
) -> None:
    first, second = trained(jobs, leases, "a"), trained(jobs, leases, "b")

    assert default_of(models) == "a"
    assert first == ["It is the first model, so it became the default."]
    assert second == [
        "The default model is still a (cnn on mnist). To make this one the default: tenfold model set-default b"
    ]
    models.make_default("b")
    trained(jobs, leases, "c")
    assert default_of(models) == "b"


@every_database
def test_a_default_that_was_deleted_leaves_none_and_no_training_steps_in(
    jobs: JobStore, leases: LeaseStore, models: ModelStore
) -> None:
    trained(jobs, leases, "a")
    trained(jobs, leases, "b")
    models.delete("a")

    assert trained(jobs, leases, "c") == [
        "There is no default model. To make this one the default: tenfold model set-default c"
    ]
    assert default_of(models) is None
    with pytest.raises(InvalidSubmission, match=r"no default model.*make one the default"):
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
        assert len(session.scalars(select(Model).where(Model.pinned)).all()) == 1
    notes = sorted(jobs.get(job_id).summary["notes"][0][:12] for job_id in ("a", "b"))  # type: ignore[index]
    assert notes == ["It is the fi", "The default "]


def test_a_sweeps_trial_is_never_the_first_model(jobs: JobStore, leases: LeaseStore, models: ModelStore) -> None:
    leases.finish_job(claimed(jobs, leases, "a"), {}, model=model("a", trial=True))

    assert default_of(models) is None
    assert trained(jobs, leases, "b") == ["It is the first model, so it became the default."]


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
def test_an_update_keeps_what_served_until_then(
    tmp_path: Path, database_url: str | None, rows: list[tuple[str, bool, bool]], served: str | None
) -> None:
    database = Database(database_url or f"sqlite:///{tmp_path / 'old.db'}")
    with database.exclusive_connection() as connection:
        if database_url is None:
            upgrade(connection, "0008")
        else:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0008'")
    with database.write() as session:
        session.add_all(model(model_id, pinned=pinned, trial=trial) for model_id, pinned, trial in rows)
    with database.exclusive_connection() as connection:
        upgrade(connection)

    assert default_of(ModelStore(database)) == served
    database.close()


def test_a_classification_without_a_model_says_how_to_choose_one(services: Services, mnist: Dataset) -> None:
    with services.database.write() as session:
        session.add(model("a"))

    with pytest.raises(InvalidSubmission, match="tenfold model set-default MODEL"):
        submit_classification(
            services, ClassificationParameters(), received(services, zipped({"0.png": png(mnist.test_images[0])}))
        )
