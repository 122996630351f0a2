"""Stores with a clock that the test moves, and jobs to put in them."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tests.conftest import Clock

LEASE_SECONDS = 10
MAX_ATTEMPTS = 3


@pytest.fixture
def database(tmp_path: Path, database_url: str | None) -> Iterator[Database]:
    opened = Database(database_url or f"sqlite:///{tmp_path / 'jobs.db'}")
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def jobs(database: Database, clock: Clock) -> JobStore:
    return JobStore(database, clock)


@pytest.fixture
def rules(clock: Clock) -> ClaimRules:
    return ClaimRules(LEASE_SECONDS, MAX_ATTEMPTS, clock)


@pytest.fixture
def leases(database: Database, rules: ClaimRules) -> LeaseStore:
    return LeaseStore(database, rules)


@pytest.fixture
def waiting(database: Database, rules: ClaimRules) -> WaitingSteps:
    return WaitingSteps(database, rules)


Submit = Callable[..., Job]


@pytest.fixture
def submit(jobs: JobStore) -> Submit:
    """Submit a job of a kind; ids count upwards."""
    numbers = count()

    def submit(kind: JobKind = JobKind.TRAINING, key: str | None = None, fingerprint: str = "same") -> Job:
        return jobs.submit(
            f"job-{next(numbers):04d}", kind, {"recipe": "any"}, total=8, fingerprint=fingerprint, idempotency_key=key
        )

    return submit


def trial_in_line(sweep_id: str, job_id: str, created_at: float, owner: str | None = None) -> Job:
    """A row for a trial of a sweep, not yet in any database."""
    return Job(
        id=job_id,
        parent_id=sweep_id,
        owner=owner,
        kind=JobKind.TRAINING,
        state=JobState.QUEUED,
        parameters={},
        source={},
        fingerprint="",
        created_at=created_at,
        total=1,
        detail={},
    )
