"""The line as people see it: told in the order in which workers are shared out."""

from tenfold.worker.db.database import Database
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.queue_position import next_queued, queue_position
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.people.users import UserStore
from tests.conftest import Clock


def submit(jobs: JobStore, job_id: str, owner: str | None, kind: JobKind = JobKind.TRAINING) -> None:
    jobs.submit(job_id, kind, {}, total=1, fingerprint=job_id, owner=owner)


def line(database: Database, clock: Clock, queue: JobKind = JobKind.TRAINING) -> list[str]:
    return [job.id for job in next_queued(database, queue, 9, clock)]


def test_without_people_the_line_is_that_of_submission(database: Database, jobs: JobStore, clock: Clock) -> None:
    for number in range(3):
        submit(jobs, f"job-{number}", None)
    submit(jobs, "other-0", None, JobKind.CLASSIFICATION)
    submit(jobs, "other-1", None, JobKind.IMPORT)

    assert line(database, clock) == ["job-0", "job-1", "job-2"]
    assert line(database, clock, JobKind.CLASSIFICATION) == ["other-0", "other-1"]


def test_people_take_turns_and_whoever_has_something_running_comes_later(
    database: Database, jobs: JobStore, leases: LeaseStore, clock: Clock
) -> None:
    users = UserStore(database, clock)
    users.add("anna", "a password", Scope.ADMIN)
    users.add("bert", "a password")
    submit(jobs, "nobodys", None)
    for number in range(4):
        submit(jobs, f"a-{number}", "anna")
    for number in range(2):
        submit(jobs, f"b-{number}", "bert")
    assert leases.claim(jobs.queued_steps("a-0")[0], "worker")

    assert line(database, clock) == ["b-0", "a-1", "b-1", "a-2", "a-3", "nobodys"]
    assert queue_position(database, jobs.get("a-1"), 9, clock) == 2
    assert queue_position(database, jobs.get("a-2"), 3, clock) is None
    assert queue_position(database, jobs.get("a-0"), 9, clock) is None
