"""What `tenfold gc` removes, and above all what it does not."""

import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.states import JobKind, StepKind
from tenfold.worker.errors import UnknownJob, UnknownModel
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import LeaseStore, Shard
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.services import Services
from tenfold.worker.storage.local import LocalStorage
from tenfold.worker.storage.volume import Volume
from tenfold.worker.training.submission import submit_training
from tenfold.worker.upkeep.collecting import Collection, collect
from tenfold.worker.upkeep.garbage import Kind
from tenfold.worker.upkeep.reset_job import discard_work
from tenfold.worker.uploads.upload import Upload
from tests.conftest import Clock, every_database
from tests.reviews import with_settings

DAY = 86_400.0

pytestmark = every_database


@pytest.fixture
def services(services: Services, clock: Clock) -> Services:
    """Services whose clock the test moves; files are as old as `age` makes them."""
    leases = LeaseStore(services.database, ClaimRules(lease_seconds=10, max_attempts=3, clock=clock))
    return replace(services, clock=clock, jobs=JobStore(services.database, clock), leases=leases)


@pytest.fixture
def model(services: Services) -> str:
    services.aliases.promote(add_model(services, "m1"), who=None)
    return "m1"


def add_model(services: Services, model_id: str, **columns: Any) -> str:
    services.volume.model(model_id).mkdir()
    (services.volume.model(model_id) / "model.keras").write_bytes(b"x" * 100)
    row = {"recipe": "dropout-128", "dataset": "mnist", "parameters": {}, "metrics": {}, "created_at": 1.0}
    with services.database.write() as session:
        session.add(Model(id=model_id, **(row | columns)))
    return model_id


def classification(services: Services) -> Job:
    path = services.volume.uploads / "received.part"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.png", b"image")
    return submit_classification(services, ClassificationParameters(), Upload(path, "a.zip", path.stat().st_size, "0"))


def cancelled(services: Services) -> Job:
    job = classification(services)
    return services.jobs.cancel(job.id)


def write_old(path: Path, clock: Clock, days: float = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    age(path, clock, days)
    return path


def age(path: Path, clock: Clock, days: float = 2) -> None:
    """As if nothing there had been written for so many days."""
    for entry in (*path.rglob("*"), path):
        os.utime(entry, (clock() - days * DAY,) * 2)


def kinds(collection: Collection) -> list[Kind]:
    return [item.kind for item in collection.garbage]


def test_without_rules_no_job_ever_expires(services: Services, model: str, clock: Clock) -> None:
    job = cancelled(services)
    clock.advance(10_000 * DAY)

    assert kinds(collect(services)) == []
    assert services.volume.archive(job.id).exists()


def test_jobs_older_than_their_kind_is_kept_go_with_their_files(services: Services, model: str, clock: Clock) -> None:
    old = cancelled(services)
    clock.advance(20 * DAY)
    young = cancelled(services)
    clock.advance(20 * DAY)

    done = collect(with_settings(services, keep_days={JobKind.CLASSIFICATION: 30, JobKind.TRAINING: 1}))

    assert [(item.kind, item.name) for item in done.garbage] == [(Kind.JOB, old.id)]
    assert not services.volume.job(old.id).exists()
    with pytest.raises(UnknownJob):
        services.jobs.get(old.id)
    assert services.volume.archive(young.id).exists()


def test_of_jobs_that_take_too_much_the_oldest_go(services: Services, model: str, clock: Clock) -> None:
    jobs = []
    for _ in range(3):
        jobs.append(cancelled(services).id)
        (services.volume.job(jobs[-1]) / "results.csv").write_bytes(b"x" * 10_000)
    clock.advance(2 * DAY)

    done = collect(with_settings(services, keep_bytes={JobKind.CLASSIFICATION: 30_000}))

    assert [item.name for item in done.garbage] == [jobs[0]]


def test_what_has_not_ended_or_ended_just_now_is_never_touched(services: Services, model: str, clock: Clock) -> None:
    running, queued = classification(services), classification(services)
    [step] = services.jobs.queued_steps(running.id)
    services.leases.claim(step, "worker")
    for job in (running, queued):
        write_old(services.volume.work(job.id) / "shard.arrow", clock)
        write_old(services.volume.job(job.id) / f".results.csv.{'a' * 32}", clock)
        age(services.volume.job(job.id), clock)
    clock.advance(1000 * DAY)
    cancelled(services)

    strict = with_settings(services, keep_days=dict.fromkeys(JobKind, 0), keep_bytes=dict.fromkeys(JobKind, 0))

    assert kinds(collect(strict, with_orphans=True)) == []


@pytest.mark.parametrize(
    ("left", "kind"),
    [
        ("uploads/0123.part", Kind.UPLOAD),
        (f"models/.gone.{'0a' * 16}/model.keras", Kind.PARTIAL_FILE),
        (f"datasets/.mine.{'0a' * 16}/about.json", Kind.PARTIAL_FILE),
        ("datasets/.mnist.x1_y2z3a/train", Kind.PARTIAL_FILE),
    ],
)
def test_what_a_killed_writer_left_goes_when_it_is_old(services: Services, clock: Clock, left: str, kind: Kind) -> None:
    path = services.volume.root / left
    top = services.volume.root.joinpath(*Path(left).parts[:2])
    write_old(path, clock, days=0.5)
    assert kinds(collect(services)) == []

    age(top, clock)

    assert kinds(collect(services)) == [kind]
    assert not top.exists()


def test_a_dry_run_says_the_same_and_removes_nothing(services: Services, clock: Clock) -> None:
    path = write_old(services.volume.uploads / "0123.part", clock)

    would = collect(services, dry_run=True)

    assert path.exists()
    assert would.bytes == 4
    assert collect(services) == would


def test_the_work_of_a_cancelled_job_goes_and_a_retry_begins_from_the_start(
    services: Services, model: str, clock: Clock
) -> None:
    job = classification(services)
    [step] = services.jobs.queued_steps(job.id)
    plan = services.leases.claim(step, "worker")
    assert plan is not None
    first, _ = services.leases.finish_plan(plan, [Shard(0, 1), Shard(1, 2)], {})
    shard = services.leases.claim(first, "worker")
    assert shard is not None
    services.leases.finish_shard(shard, 1, {"file": "shard-0"})
    services.jobs.cancel(job.id)
    clock.advance(3 * DAY)
    write_old(services.volume.work(job.id) / "unpacked.tar", clock)
    age(services.volume.job(job.id), clock)

    assert kinds(collect(services)) == [Kind.WORK]
    assert not services.volume.work(job.id).exists()
    services.jobs.retry(job.id)

    assert services.jobs.get(job.id).done == 0
    [again] = services.jobs.queued_steps(job.id)
    lease = services.leases.claim(again, "worker")
    assert lease is not None
    assert lease.kind is StepKind.PLAN
    assert len(services.leases.finish_plan(lease, [Shard(0, 2)], {})) == 1


def test_losing_models_go_by_rule_and_the_best_and_what_has_an_alias_stay(services: Services, clock: Clock) -> None:
    best = add_model(services, "best")
    for loser in ("a-loser", "in-use", "candidate"):
        add_model(services, loser, trial=True, created_at=clock() - 9 * DAY)
    services.aliases.promote("candidate", "candidate", who=None)
    add_model(services, "young", trial=True, created_at=clock() - 3 * DAY)
    services.jobs.submit("job-1", JobKind.CLASSIFICATION, {"model": ["in-use"]}, total=1, fingerprint="x")
    services.volume.archive("job-1").parent.mkdir()
    services.volume.archive("job-1").touch()

    done = collect(with_settings(services, keep_losing_models_days=7))

    assert [item.name for item in done.garbage] == ["a-loser"]
    assert not services.volume.model("a-loser").exists()
    with pytest.raises(UnknownModel):
        services.models.get("a-loser")
    assert {model.id for model in services.models.list()} == {best, "in-use", "candidate", "young"}


def test_files_without_a_row_and_rows_without_files_are_told(services: Services, model: str, clock: Clock) -> None:
    write_old(services.volume.job("unknown") / "results.csv", clock)
    age(services.volume.job("unknown"), clock)
    (services.volume.model(model) / "model.keras").unlink()

    told = collect(services)

    assert told.garbage == ()
    assert [(item.kind, item.name) for item in told.reported] == [(Kind.ORPHAN, "jobs/unknown"), (Kind.MISSING, model)]
    assert kinds(collect(services, with_orphans=True)) == [Kind.ORPHAN]
    assert not services.volume.job("unknown").exists()


def test_a_job_that_is_retried_meanwhile_keeps_its_work(services: Services, model: str, clock: Clock) -> None:
    job = cancelled(services)
    services.volume.work(job.id).mkdir()
    services.jobs.retry(job.id)

    assert not discard_work(services.database, services.volume, job.id, job.kind)
    assert services.volume.work(job.id).exists()


def test_others_write_while_a_tree_of_work_is_deleted(services: Services, model: str, tmp_path: Path) -> None:
    job = cancelled(services)
    work = services.volume.work(job.id)
    work.mkdir()
    (work / "shard").write_bytes(b"many bytes")
    submitted: list[Job] = []

    class SlowToDelete(LocalStorage):
        def withdraw(self, path: Path) -> Callable[[], None]:
            free_space = super().withdraw(path)

            def deleting() -> None:
                submitted.append(services.jobs.submit("new", JobKind.TRAINING, {}, total=1, fingerprint="x"))
                free_space()

            return deleting

    volume = Volume(services.volume.root, SlowToDelete(services.volume.root))

    assert discard_work(services.database, volume, job.id, job.kind)

    assert [one.id for one in submitted] == ["new"]
    assert list(services.volume.job(job.id).glob(".work*")) == []


def test_a_classification_whose_corrections_are_being_merged_stays(
    services: Services, model: str, clock: Clock
) -> None:
    job = cancelled(services)
    services.jobs.submit("review", JobKind.REVIEW, {"classification": job.id}, total=1, fingerprint="x")
    services.volume.job("review").mkdir()
    clock.advance(40 * DAY)

    assert kinds(collect(with_settings(services, keep_days={JobKind.CLASSIFICATION: 1}))) == []


def test_training_models_stay_when_their_jobs_expire(
    services: Services, clock: Clock, submit_a_training: Callable[[], Job]
) -> None:
    job = submit_a_training()
    add_model(services, job.id)
    services.jobs.cancel(job.id)
    clock.advance(40 * DAY)

    assert kinds(collect(with_settings(services, keep_days={JobKind.TRAINING: 1}))) == [Kind.JOB]
    assert services.models.get(job.id).id == job.id
    assert services.volume.model(job.id).exists()


@pytest.fixture
def submit_a_training(services: Services) -> Callable[[], Job]:
    return lambda: submit_training(services, TrainingParameters(recipe="dropout-128"))
