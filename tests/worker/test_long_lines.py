"""However long the line is, whoever looks at it walks along indexes, and at no more of it than is told."""

from sqlalchemy import insert

from tests.conftest import Clock
from tests.worker.conftest import Submit
from tests.worker.query_plans import plans_of
from worker.database import Database
from worker.healing import GRACE_SECONDS, Healer
from worker.jobs import JobStore
from worker.line import next_in_line
from worker.people.scopes import Scope
from worker.queue import StepQueue, create_celery
from worker.records import User
from worker.redis import connect_redis
from worker.states import JobKind
from worker.waiting_steps import WaitingSteps

PEOPLE = 50


def test_the_healer_does_not_go_through_all_that_is_queued(
    database: Database, waiting: WaitingSteps, redis_url: str, submit: Submit, clock: Clock
) -> None:
    queue = StepQueue(create_celery(redis_url), connect_redis(redis_url))
    healer = Healer(waiting, queue, window=4)
    submit()
    clock.advance(GRACE_SECONDS + 1)

    plans = plans_of(database, healer.heal)

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

    plans = plans_of(database, lambda: next_in_line(database, JobKind.TRAINING, 3, clock))

    assert [job.id for job in next_in_line(database, JobKind.TRAINING, 3, clock)] == ["job-00", "job-01", "job-02"]
    assert sum("jobs_by_owner (owner=? AND state=? AND kind=?)" in step for step in plans) == 3
