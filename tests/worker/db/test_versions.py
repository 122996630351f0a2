"""Old and new workers on one database and one Redis: each takes what it understands, and leaves the rest to others."""

import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.results import PICTURES, ROWS, SHADOW
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.db.database import Database
from tenfold.worker.db.states import FIRST_STEP, JobKind, JobState, StepKind
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import Lease, LeaseStore, Shard
from tenfold.worker.jobs.queue import QUEUES, StepQueue, create_celery, queue_names
from tenfold.worker.jobs.reconciler import GRACE_SECONDS, Reconciler
from tenfold.worker.jobs.scheduler import FairScheduler
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.people.users import Scope, UserStore
from tenfold.worker.redis import connect_redis
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.sweeps.parameters import SweepParameters
from tenfold.worker.versions import OLDEST_STEP_VERSION, STEP_VERSION
from tests.conftest import Clock, every_database
from tests.worker.conftest import LEASE_SECONDS, MAX_ATTEMPTS

OLD, NEW = STEP_VERSION, STEP_VERSION + 1

DECLARED = Path(__file__).parent


@pytest.fixture
def old(leases: LeaseStore) -> LeaseStore:
    return leases


@pytest.fixture
def new(database: Database, clock: Clock) -> LeaseStore:
    return LeaseStore(database, ClaimRules(LEASE_SECONDS, MAX_ATTEMPTS, clock, NEW))


@pytest.fixture
def new_jobs(database: Database, clock: Clock) -> JobStore:
    """The store of a web of the later version."""
    return JobStore(database, clock, version=NEW)


def submitted(jobs: JobStore, job_id: str, kind: JobKind = JobKind.TRAINING, owner: str | None = None) -> int:
    """The id of the new job's first step."""
    jobs.submit(job_id, kind, {}, total=4, fingerprint=job_id, owner=owner)
    return jobs.queued_steps(job_id)[0]


def claimed(leases: LeaseStore, step: int) -> Lease:
    lease = leases.claim(step, "worker")
    assert lease is not None
    return lease


@every_database
def test_an_old_worker_leaves_a_new_step_to_new_ones(
    old: LeaseStore, waiting: WaitingSteps, new: LeaseStore, new_jobs: JobStore
) -> None:
    step = submitted(new_jobs, "job")

    assert old.claim(step, "old") is None
    assert waiting.claimable([StepKind.TRAIN], at_most=9) == []
    assert claimed(new, step).attempt == 1


@every_database
def test_a_new_worker_takes_old_steps(jobs: JobStore, new: LeaseStore) -> None:
    new.finish_job(claimed(new, submitted(jobs, "job")), {})

    assert jobs.get("job").state is JobState.SUCCEEDED


def test_an_old_worker_reads_no_step_of_a_kind_that_it_does_not_know(
    old: LeaseStore, waiting: WaitingSteps, jobs: JobStore, new_jobs: JobStore, database: Database, clock: Clock
) -> None:
    step = submitted(new_jobs, "job")
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE steps SET kind = 'transcribe', attempts = 9")

    assert old.claim(step, "old") is None
    assert waiting.fail_exhausted() == []
    assert FairScheduler(database, old).claim(step, "old") is None


def test_people_take_turns_among_what_a_worker_understands(
    old: LeaseStore, jobs: JobStore, new_jobs: JobStore, database: Database, clock: Clock
) -> None:
    users = UserStore(database, clock)
    users.add("anna", "a password", Scope.ADMIN)
    users.add("bert", "a password")
    submitted(new_jobs, "new", owner="anna")
    hint = submitted(jobs, "old", owner="bert")

    lease = FairScheduler(database, old).claim(hint, "old")

    assert lease is not None
    assert lease.job_id == "old"


@every_database
def test_what_a_new_worker_has_begun_is_gone_on_with_by_new_ones(
    jobs: JobStore, old: LeaseStore, new: LeaseStore, clock: Clock
) -> None:
    """Its checkpoint may be of a form that the old one does not read."""
    step = submitted(jobs, "job")
    new.release(claimed(new, step))

    assert old.claim(step, "old") is None
    assert claimed(new, step).attempt == 1


@every_database
def test_shards_of_a_new_worker_are_merged_by_a_new_one(jobs: JobStore, old: LeaseStore, new: LeaseStore) -> None:
    plan = claimed(old, submitted(jobs, "job", JobKind.CLASSIFICATION))
    first, second = old.finish_plan(plan, [Shard(0, 2), Shard(2, 4)], {})

    new.finish_shard(claimed(new, first), 2, {})
    [merge] = old.finish_shard(claimed(old, second), 2, {})

    assert old.claim(merge, "old") is None
    new.finish_job(claimed(new, merge), {})


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return connect_redis(redis_url)


def test_each_version_is_announced_where_those_who_understand_it_listen(
    jobs: JobStore, new_jobs: JobStore, database: Database, redis: Redis, redis_url: str, clock: Clock
) -> None:
    submitted(jobs, "old")
    submitted(new_jobs, "new")
    clock.advance(GRACE_SECONDS + 1)
    celery = create_celery(redis_url)

    for version in (OLD, NEW, OLD):
        waiting = WaitingSteps(database, ClaimRules(LEASE_SECONDS, MAX_ATTEMPTS, clock, version))
        Reconciler(waiting, StepQueue(celery, redis, version), window=9).reconcile()

    *older, theirs, ours = queue_names([JobKind.TRAINING], NEW)
    assert {queue: redis.llen(queue) for queue in (theirs, ours)} == {theirs: 1, ours: 1}
    assert queue_names([JobKind.TRAINING], OLD) == [*older, theirs]
    assert queue_names([JobKind.TRAINING], 2) == ["training", "training.2"]


def declared() -> dict[str, Any]:
    """What of the rows and of the files between steps a worker must understand, as far as it is declared."""
    parameters = (
        *(TrainingParameters, SweepParameters, ClassificationParameters, ImportParameters, ReviewParameters),
        *(ComparisonParameters, ModelImportParameters, CheckParameters),
    )
    return {
        "steps": sorted(kind for kinds in QUEUES.values() for kind in kinds),
        "first steps": {job.value: step.value for job, step in FIRST_STEP.items()},
        "parameters": {kind.__name__: sorted(kind.model_fields) for kind in parameters},
        "shard": {name: str(kind) for name, kind in {**ROWS, **SHADOW}.items()},
        "pictures": {name: str(kind) for name, kind in PICTURES.items()},
    }


def test_whoever_changes_what_workers_must_understand_raises_the_version() -> None:
    written = json.loads((DECLARED / f"version_{STEP_VERSION}.json").read_text())

    assert declared() == written, (
        "Workers of before would not understand this: raise STEP_VERSION in worker/versions.py, and write what is "
        "declared now to tests/worker/db/version_<STEP_VERSION>.json (python -m tests.worker.db.test_versions)."
    )


@pytest.mark.parametrize("version", range(OLDEST_STEP_VERSION, STEP_VERSION + 1))
def test_what_earlier_versions_wrote_is_understood(version: int) -> None:
    written = json.loads((DECLARED / f"version_{version}.json").read_text())

    now = declared()
    assert set(written["steps"]) <= set(now["steps"])
    for kind, names in written["parameters"].items():
        assert set(names) <= set(now["parameters"][kind])


if __name__ == "__main__":
    path = DECLARED / f"version_{STEP_VERSION}.json"
    path.write_text(json.dumps(declared(), indent=2) + "\n")
