"""A volume and a backup of version 0.1 are of use to this one: all is shown, and all that was unfinished goes on.

`release_0_1/` was made by the code of 0.1 (pictures were removed to save space): an import, a training, a sweep and its
two trials, a classification whose corrections a review merged into a data set, a second one with a correction, one that
was under way and one that was cancelled after a shard, and a queued training.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tenfold.web.app import create_app
from tenfold.web.core.services import EXTENSION
from tenfold.web.core.settings import WebSettings
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.submission import retry
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.submission import submit_review
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.storage.opening import open_volume
from tenfold.worker.upkeep.restore import restore
from tests.conftest import every_database
from tests.postgres import Postgres
from tests.reviews import work_off
from tests.uploads import received
from tests.waiting import until

RELEASE = Path(__file__).parent / "release_0_1"

TRAINING = "01m8j32f9rtysn22gfaaen3bc8"
SWEEP = "01m8j33tcmrmq7e8mbhbxhsp4n"
CLASSIFIED = "01m8j35h6wfast9kgtqtmznegp"
REVIEW = "01m8j35nafqzwwe0m16xt0vrqc"
CORRECTED = "01m8j35paq05p30035191xhwk8"
UNDER_WAY = "01m8j35tg2ym2thb5d9pz4yjnh"
CANCELLED = "01m8j35v3z22mh3axxggyhn7eq"
QUEUED = "01m8j35w5g1f633zjjarz3h9nm"

IMAGES = 12


@pytest.fixture
def app(tmp_path: Path, redis_url: str) -> Flask:
    with tarfile.open(RELEASE / "volume.tar.xz") as tar:
        tar.extractall(tmp_path / "data", filter="data")
    return create_app(WebSettings(data=tmp_path / "data", redis_url=redis_url))


@pytest.fixture
def services(app: Flask) -> Services:
    opened: Services = app.extensions[EXTENSION]
    return opened


def test_parameters_and_figures_have_the_names_of_today(services: Services) -> None:
    jobs = {job.id: job for job in services.jobs.list()}
    summary = jobs[CLASSIFIED].summary or {}

    assert jobs[TRAINING].parameters["batch_normalization"] is True
    assert jobs[SWEEP].parameters["space"] == {"batch_normalization": ["true", "false"]}
    assert [row["values"] for row in (jobs[SWEEP].summary or {})["ranking"]] == [
        {"batch_normalization": "true"},
        {"batch_normalization": "false"},
    ]
    assert jobs[CLASSIFIED].parameters["normalize"] == "auto"
    assert summary["quality"] == {"blank": 1, "out_of_distribution": 1, "multiple_digits": 1}
    assert summary["error_kinds"] == {"unrecognized_format": 1}
    assert summary["labeled"] == 11
    assert (jobs[REVIEW].summary or {})["dataset"]["train_images"] == 60
    model = services.models.get(TRAINING)
    assert model.parameters["batch_normalization"] is True
    assert model.metrics["calibration"]["fitted_on"] == "half_of_test_images"


def test_every_job_model_and_data_set_is_shown(app: Flask, services: Services) -> None:
    web = app.test_client()
    jobs = [*services.jobs.list(), *services.jobs.trials(SWEEP)]
    pages = [f"{prefix}/jobs/{job.id}" for job in jobs for prefix in ("", "/api/v1")]
    pages += [f"/jobs/{job}/{page}" for job in (CLASSIFIED, CORRECTED) for page in ("images", "review")]
    pages += [f"/api/v1/jobs/{CORRECTED}/review", "/api/v1/models", "/models", f"/models/{TRAINING}", "/datasets"]
    pages += ["/datasets/corrected", f"/api/v1/models/{TRAINING}", "/api/v1/datasets", "/jobs", "/"]

    def shown(page: str) -> int:
        """Its status, once what it needs has been prepared."""
        return until(lambda: None if (status := web.get(page, follow_redirects=True).status_code) == 202 else status)

    assert {page: status for page in pages if (status := shown(page)) != 200} == {}


def test_what_was_unfinished_is_left_alone_by_workers_of_0_1_and_ends_well(services: Services) -> None:
    of_0_1 = LeaseStore(services.database, ClaimRules(15, 3, services.clock, version=2))
    for job_id in (UNDER_WAY, QUEUED):
        [step] = services.jobs.queued_steps(job_id)
        assert of_0_1.claim(step, "a worker of 0.1") is None

        job = work_off(services, services.jobs.get(job_id))

        assert job.state is JobState.SUCCEEDED, job.error
    assert (services.jobs.get(UNDER_WAY).summary or {})["images"] == IMAGES


def test_a_cancelled_classification_starts_over_when_it_is_retried(services: Services) -> None:
    job = work_off(services, retry(services, CANCELLED))

    assert job.state is JobState.SUCCEEDED, job.error
    assert job.done == job.total == IMAGES


def test_corrections_are_merged_into_results_of_0_1(services: Services) -> None:
    given = ReviewParameters(classification=CORRECTED, dataset="another", together_with="ones-and-sevens")

    job = work_off(services, submit_review(services, given))

    assert job.state is JobState.SUCCEEDED, job.error
    assert (job.summary or {})["reviewed"] == 1


@pytest.fixture
def restored(tmp_path: Path, redis_url: str, database_kind: str, request: pytest.FixtureRequest) -> Iterator[Services]:
    settings: dict[str, Any] = {"data": tmp_path / "restored", "redis_url": redis_url}
    if database_kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings["database_url"] = postgres.new_database(empty=True)
    volume = open_volume(Settings(**settings))
    volume.create()
    database = Database(Settings(**settings).resolved_database_url)
    migrate(database)
    restore(database, volume, RELEASE / "backup.tar.xz")
    database.close()
    services = Services.open(Settings(**settings))
    yield services
    services.database.close()


@every_database
def test_a_backup_is_restored_and_goes_on(restored: Services) -> None:
    assert restored.jobs.get(CLASSIFIED).parameters["normalize"] == "auto"
    scans = restored.volume.archive(CLASSIFIED).read_bytes()
    given = ClassificationParameters(model=(TRAINING,))

    again = work_off(restored, submit_classification(restored, given, received(restored, scans, "scans.zip")))
    under_way = work_off(restored, restored.jobs.get(UNDER_WAY))

    assert {job.state for job in (again, under_way)} == {JobState.SUCCEEDED}
    assert restored.jobs.unfinished(JobKind.TRAINING)[0].id == QUEUED
