"""One clock for all workers: a machine whose clock is wrong neither takes what others have nor loses what it has."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import OperationalError

from tenfold.worker.db import clock as worker_clock
from tenfold.worker.db.clock import ServerClock, clock_of
from tenfold.worker.db.database import Database
from tenfold.worker.db.states import StepKind
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.versions import STEP_VERSION
from tests.conftest import Clock, every_database
from tests.postgres import Postgres
from tests.worker.conftest import LEASE_SECONDS, Submit

TRAININGS = (StepKind.TRAIN,)
HOUR = 3600


@pytest.fixture
def server(postgres: Postgres) -> Iterator[Database]:
    opened = Database(postgres.new_database())
    yield opened
    opened.close()


def test_with_postgresql_everybody_goes_by_the_server_whatever_their_own_clock_says(
    server: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + HOUR)

    clock = clock_of(server)

    assert abs(clock() - now) < HOUR / 2


def test_the_servers_clock_goes_on_while_the_server_is_away(server: Database, postgres: Postgres) -> None:
    clock = ServerClock(server)
    before = clock()
    asked_at = clock._asked_at
    clock._asked_at -= worker_clock.ASK_EVERY_SECONDS + 1
    postgres.drop(server.engine.url.render_as_string(hide_password=False))

    assert before <= clock() < before + HOUR
    assert clock._asked_at < asked_at


def test_a_server_that_was_never_reached_tells_no_time(server: Database, postgres: Postgres) -> None:
    postgres.drop(server.engine.url.render_as_string(hide_password=False))

    with pytest.raises(OperationalError):
        ServerClock(server)()


def test_a_worker_whose_machine_is_an_hour_ahead_takes_nothing_that_another_has(
    postgres: Postgres, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = settings.model_copy(update={"database_url": postgres.new_database()})
    right = Services.open(there)
    job = right.jobs.submit("job", "training", {}, total=1, fingerprint="f")
    [step] = right.jobs.queued_steps(job.id)
    lease = right.leases.claim(step, "right")
    assert lease is not None
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + HOUR)
    ahead = Services.open(there)

    assert ahead.leases.claim(step, "ahead") is None
    assert ahead.waiting.fail_exhausted() == []
    right.leases.renew(lease)


@every_database
def test_when_the_clock_is_set_back_the_step_of_a_dead_worker_is_taken_over_all_the_same(
    jobs: JobStore, leases: LeaseStore, waiting: WaitingSteps, submit: Submit, clock: Clock
) -> None:
    [step] = jobs.queued_steps(submit().id)
    assert leases.claim(step, "dead") is not None

    clock.advance(-HOUR)

    assert waiting.reannounce(TRAININGS, STEP_VERSION, announced_before=clock() - 5, limit=9) == [step]
    taken = leases.claim(step, "living")
    assert taken is not None
    assert taken.taken_over


@every_database
def test_when_the_clock_is_set_back_a_living_worker_renews_its_lease(
    jobs: JobStore, leases: LeaseStore, submit: Submit, clock: Clock
) -> None:
    [step] = jobs.queued_steps(submit().id)
    lease = leases.claim(step, "living")
    assert lease is not None

    clock.advance(-HOUR)
    leases.renew(lease)

    assert leases.claim(step, "other") is None
    clock.advance(LEASE_SECONDS + 1)
    assert leases.claim(step, "other") is not None


@every_database
def test_a_step_that_was_announced_before_the_clock_was_set_back_is_announced_again(
    jobs: JobStore, waiting: WaitingSteps, submit: Submit, clock: Clock
) -> None:
    [step] = jobs.queued_steps(submit().id)

    clock.advance(-HOUR)

    assert waiting.reannounce(TRAININGS, STEP_VERSION, announced_before=clock() - 5, limit=9) == [step]
