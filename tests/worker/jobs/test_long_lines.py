"""However long the queue is, each look at it uses indexes and reads no more rows than it returns."""

from sqlalchemy import insert

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import User
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.queue import StepQueue, create_celery
from tenfold.worker.jobs.queue_position import next_queued
from tenfold.worker.jobs.reconciler import GRACE_SECONDS, Reconciler
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.redis import connect_redis
from tests.conftest import Clock
from tests.worker.conftest import Submit
from tests.worker.query_plans import plans_of

PEOPLE = 50


def test_the_reconciler_does_not_go_through_all_that_is_queued(
    database: Database, waiting: WaitingSteps, redis_url: str, submit: Submit, clock: Clock
) -> None:
    queue = StepQueue(create_celery(redis_url), connect_redis(redis_url))
    reconciler = Reconciler(waiting, queue, window=4)
    submit()
    clock.advance(GRACE_SECONDS + 1)

    plans = plans_of(database, reconciler.reconcile)

    assert queue.waiting(JobKind.TRAINING) == 1
    assert not [step for step in plans if step.startswith("SCAN")]
    # Only what runs is looked for by state alone: of what is queued there is no end.
    assert sum(step.endswith("steps_by_state (state=?)") for step in plans) == 1
    assert "SEARCH steps USING INDEX steps_in_line_again (state=? AND attempts>?)" in plans


def test_of_many_people_only_those_are_asked_for_who_are_told_of(
    database: Database, jobs: JobStore, clock: Clock
) -> None:
    names = [f"person-{number:02}" for number in range(PEOPLE)]
    person = {"password_hash": "-", "session_stamp": "-", "scope": Scope.SUBMIT, "created_at": 0.0}
    with database.write() as session:
        session.execute(
            insert(User), [person | {"name": name, "served_at": float(place)} for place, name in enumerate(names)]
        )
    for place, name in enumerate(names):
        jobs.submit(f"job-{place:02}", JobKind.TRAINING, {}, total=1, fingerprint="", owner=name)

    plans = plans_of(database, lambda: next_queued(database, JobKind.TRAINING, 3, clock))

    assert [job.id for job in next_queued(database, JobKind.TRAINING, 3, clock)] == ["job-00", "job-01", "job-02"]
    assert sum("jobs_by_owner (owner=? AND state=? AND kind=?)" in step for step in plans) == 3
