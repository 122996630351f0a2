"""Sharing: one person's many jobs do not hold up another's one, and of any number of contenders one wins."""

import threading

import pytest
from sqlalchemy import insert

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind, JobState, StepKind, StepState
from tenfold.worker.jobs.leases import Lease, LeaseStore
from tenfold.worker.jobs.scheduler import FairScheduler
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.people.users import UserStore
from tests.conftest import Clock
from tests.worker.conftest import trial_in_line
from tests.worker.query_plans import plans_of

MANY = 1_000


@pytest.fixture
def scheduler(database: Database, leases: LeaseStore, clock: Clock) -> FairScheduler:
    users = UserStore(database, clock)
    users.add("anna", "a password", Scope.ADMIN)
    users.add("bert", "a password")
    return FairScheduler(database, leases)


def submit(jobs: JobStore, job_id: str, owner: str | None, kind: JobKind = JobKind.TRAINING) -> int:
    """The id of the first step of a new job."""
    jobs.submit(job_id, kind, {}, total=1, fingerprint=job_id, owner=owner)
    return jobs.queued_steps(job_id)[0]


def claimed(scheduler: FairScheduler, step: int) -> Lease:
    lease = scheduler.claim(step, "worker")
    assert lease is not None
    return lease


def test_with_one_worker_people_take_turns(
    scheduler: FairScheduler, jobs: JobStore, leases: LeaseStore, clock: Clock
) -> None:
    messages = [submit(jobs, f"a-{number}", "anna") for number in range(6)]
    messages += [submit(jobs, f"b-{number}", "bert") for number in range(2)]

    done = []
    for message in messages:
        clock.advance(1)
        lease = claimed(scheduler, message)
        leases.finish_job(lease, {})
        done.append(lease.job_id)

    assert done == ["a-0", "b-0", "a-2", "b-1", "a-4", "a-5", "a-1", "a-3"]


def test_a_sweep_does_not_hold_up_anothers_training(
    scheduler: FairScheduler, jobs: JobStore, leases: LeaseStore, clock: Clock
) -> None:
    sweep = claimed(scheduler, submit(jobs, "sweep", "anna", JobKind.SWEEP))
    trials = [trial_in_line("sweep", f"trial-{number}", clock(), sweep.owner) for number in range(20)]
    messages = leases.await_trials(sweep, trials, 0, {})
    clock.advance(1)
    claimed(scheduler, messages[0])
    submit(jobs, "single", "bert")

    assert claimed(scheduler, messages[1]).job_id == "single"


def test_whoever_has_fewest_steps_running_is_next(
    scheduler: FairScheduler, jobs: JobStore, leases: LeaseStore, clock: Clock
) -> None:
    steps = [submit(jobs, f"a-{number}", "anna") for number in range(5)]
    claimed(scheduler, steps[0])
    claimed(scheduler, steps[1])
    submit(jobs, "b-0", "bert")
    submit(jobs, "b-1", "bert")
    submit(jobs, "b-2", "bert")

    assert [claimed(scheduler, message).job_id for message in steps[2:]] == ["b-0", "b-1", "a-4"]


def test_a_message_takes_no_step_of_the_other_queue(scheduler: FairScheduler, jobs: JobStore, clock: Clock) -> None:
    step = submit(jobs, "a-0", "anna")
    claimed(scheduler, step)
    submit(jobs, "b-0", "bert", JobKind.CLASSIFICATION)
    clock.advance(1)

    assert scheduler.claim(step, "worker") is None


def test_what_was_tried_before_is_tried_again_by_its_own_message_only(
    scheduler: FairScheduler, jobs: JobStore, leases: LeaseStore, clock: Clock
) -> None:
    failing, other = submit(jobs, "a-0", "anna"), submit(jobs, "b-0", "bert")
    leases.requeue_after_error(claimed(scheduler, failing))
    leases.finish_job(claimed(scheduler, other), {})

    assert scheduler.claim(other, "worker") is None
    assert claimed(scheduler, failing).attempt == 2


def test_an_expired_lease_is_taken_over(scheduler: FairScheduler, jobs: JobStore, clock: Clock) -> None:
    step = submit(jobs, "a-0", "anna")
    claimed(scheduler, step)
    submit(jobs, "b-0", "bert")
    clock.advance(60)

    assert claimed(scheduler, step).job_id == "a-0"


def test_jobs_that_belong_to_nobody_come_last(scheduler: FairScheduler, jobs: JobStore) -> None:
    nobodys = submit(jobs, "n-0", None)
    annas = submit(jobs, "a-0", "anna")

    assert [claimed(scheduler, step).job_id for step in (nobodys, annas)] == ["a-0", "n-0"]


def test_of_twenty_contenders_for_one_message_each_step_goes_to_one(scheduler: FairScheduler, jobs: JobStore) -> None:
    messages = [submit(jobs, f"{name[0]}-{number}", name) for name in ("anna", "bert") for number in range(5)]
    start = threading.Barrier(20)
    won: list[str] = []

    def contend() -> None:
        start.wait()
        lease = scheduler.claim(messages[0], "worker")
        if lease is not None:
            won.append(lease.job_id)

    threads = [threading.Thread(target=contend) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == len(set(won))
    assert len(won) >= 2


def test_choosing_among_many_steps_reads_along_indexes(
    scheduler: FairScheduler, database: Database, jobs: JobStore
) -> None:
    with database.write() as session:
        common = {"parameters": {}, "source": {}, "fingerprint": "", "created_at": 0.0, "total": 1, "detail": {}}
        session.execute(
            insert(Job),
            [
                common | {"id": f"a-{n:06d}", "kind": JobKind.TRAINING, "state": JobState.QUEUED, "owner": "anna"}
                for n in range(MANY)
            ],
        )
        session.execute(
            insert(Step),
            [
                {
                    "job_id": f"a-{n:06d}",
                    "kind": StepKind.TRAIN,
                    "state": StepState.QUEUED,
                    "input": {},
                    "announced_at": 0,
                }
                for n in range(MANY)
            ],
        )
    running = claimed(scheduler, 1)
    submit(jobs, "b-0", "bert")

    plans = plans_of(database, lambda: scheduler.choose(2))

    assert running.job_id == "a-000000"
    assert claimed(scheduler, 2).job_id == "b-0"
    assert [step for step in plans if step.startswith("SCAN")] == ["SCAN users"]
    assert "SEARCH jobs USING COVERING INDEX jobs_by_owner (owner=? AND state=? AND kind=?)" in plans
    # Only what runs is looked for by state: of what is queued there is no end.
    assert sum("INDEX steps_by_state" in step for step in plans) == 1
