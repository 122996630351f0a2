"""What only PostgreSQL does: it drops connections, locks single rows, and refuses some text that SQLite keeps."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text, update

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job, Step, User
from tenfold.worker.db.schema import migrate, prepare_database, why_not_usable
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind, JobState, StepKind, StepState
from tenfold.worker.errors import LeaseLost, UnknownJob
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.people.users import UserStore
from tenfold.worker.settings import Settings
from tenfold.worker.versions import STEP_VERSION
from tests.conftest import Clock, every_database
from tests.postgres import Postgres
from tests.waiting import until
from tests.worker.conftest import Submit, trial_in_line


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


Ways = {
    "finish": lambda leases, lease: leases.finish_job(lease, {}),
    "fail": lambda leases, lease: leases.fail_job(lease, "no"),
    "give up": lambda leases, lease: leases.prune_trial(lease, "hopeless"),
}


@pytest.fixture
def sweep(database: Database, submit: Submit, clock: Clock) -> Job:
    """A sweep with one trial in line."""
    sweep = submit(JobKind.SWEEP)
    trial = trial_in_line(sweep.id, "trial", clock())
    with database.write() as session:
        session.add(trial)
        session.flush()
        session.add(Step(job_id="trial", kind=StepKind.TRAIN, state=StepState.QUEUED, announced_at=clock()))
    return sweep


def test_a_process_that_starts_while_the_database_is_away_waits_for_it(
    postgres: Postgres, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.new_database(empty=True)
    postgres.drop(url)
    database = Database(url)
    starting = threading.Thread(target=prepare_database, args=(database, settings))
    starting.start()
    while "the database is away" not in caplog.text:
        time.sleep(0.01)

    postgres.create(url)
    starting.join()

    assert why_not_usable(database) is None
    database.close()


def test_a_dropped_connection_is_replaced(
    jobs: JobStore, submit: Submit, postgres: Postgres, database_url: str
) -> None:
    job = submit()
    postgres.drop_connections(database_url)

    assert jobs.get(job.id).state is JobState.QUEUED
    assert submit().state is JobState.QUEUED


@every_database
@pytest.mark.parametrize("end", Ways.values(), ids=Ways.keys())
def test_a_trial_that_ends_while_its_sweep_is_cancelled_does_not_wait_for_ever(
    database: Database,
    jobs: JobStore,
    leases: LeaseStore,
    sweep: Job,
    end: Callable[..., None],
) -> None:
    [step] = jobs.queued_steps("trial")
    lease = leases.claim(step, "worker")
    assert lease is not None
    outcome: list[Exception | None] = []

    def finish() -> None:
        try:
            end(leases, lease)
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    worker = threading.Thread(target=finish)
    with database.write() as session:  # as a cancel does: the sweep's row, and then its trials'
        session.execute(select(Job.id).where(Job.id == sweep.id).with_for_update())
        worker.start()
        time.sleep(0.2)
        session.execute(update(Job).where(Job.id == "trial").values(state=JobState.CANCELLED))
    worker.join()

    assert isinstance(outcome[0], LeaseLost)
    assert jobs.get("trial").state is JobState.CANCELLED


def test_a_retry_of_a_trial_while_its_sweep_is_claimed_is_no_deadlock(
    database: Database, jobs: JobStore, leases: LeaseStore, sweep: Job
) -> None:
    UserStore(database).add("anna", "correct horse battery", Scope.ADMIN)
    [step] = jobs.queued_steps("trial")
    lease = leases.claim(step, "worker")
    assert lease is not None
    leases.fail_job(lease, "no")
    with database.write() as session:
        session.execute(update(Job).values(owner="anna"))
    outcome: list[Exception | Job] = []

    def retry() -> None:
        try:
            outcome.append(jobs.retry("trial"))
        except Exception as error:
            outcome.append(error)

    person = threading.Thread(target=retry)
    with database.write() as session:  # as a claim does: the sweep's row, and then its owner's
        session.execute(select(Job.id).where(Job.id == sweep.id).with_for_update())
        person.start()
        until(lambda: _waits_for_a_lock(database))
        session.execute(update(User).where(User.name == "anna").values(served_at=1))
    person.join()

    [retried] = outcome
    assert isinstance(retried, Job), retried
    assert retried.state is JobState.QUEUED


def _waits_for_a_lock(database: Database) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with database.read() as session:
        return bool(session.scalar(text(waiting)))


@every_database
def test_what_another_transaction_changes_is_not_waited_for_when_lost_steps_are_announced(
    database: Database,
    leases: LeaseStore,
    waiting: WaitingSteps,
    jobs: JobStore,
    submit: Submit,
    database_kind: str,
    clock: Clock,
) -> None:
    held, free = (jobs.queued_steps(submit().id)[0] for _ in range(2))
    clock.advance(60)
    if database_kind == "sqlite":  # one transaction at a time: there is nothing held
        assert waiting.reannounce([StepKind.TRAIN], STEP_VERSION, announced_before=clock(), limit=9) == [held, free]
        return

    with database.write() as session:
        session.execute(select(Step.id).where(Step.id == held).with_for_update())
        announced = waiting.reannounce([StepKind.TRAIN], STEP_VERSION, announced_before=clock(), limit=9)

    assert announced == [free]


@every_database
def test_text_that_postgresql_cannot_keep_is_no_error(jobs: JobStore, leases: LeaseStore, submit: Submit) -> None:
    with pytest.raises(UnknownJob):
        jobs.get("a\0b")
    job = submit(key="k\0", fingerprint="one")
    [step] = jobs.queued_steps(job.id)
    lease = leases.claim(step, "worker")
    assert lease is not None

    leases.fail_job(lease, "the file a\0b is damaged")

    assert "is damaged" in (jobs.get(job.id).error or "")
    assert submit(key="k\0", fingerprint="one").id == job.id


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[list[Database]]:
    """Connections of several processes to a database without tables."""
    url = postgres.new_database(empty=True)
    opened = [Database(url) for _ in range(4)]
    yield opened
    for one in opened:
        one.close()
    postgres.drop(url)


def test_of_several_processes_that_migrate_at_once_one_does_and_the_others_wait(empty: list[Database]) -> None:
    failed: list[Exception] = []

    def start(database: Database) -> None:
        try:
            migrate(database)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start, args=[database]) for database in empty]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failed
    assert JobStore(empty[0]).list() == []
