"""Hypothesis drives the stores: people, workers, reconcilers and a forgetful Redis, in any order. After each thing that
is done every invariant holds, and in the end one worker brings every job to its end.

A long run: TENFOLD_TEST_EXAMPLES=5000 pytest tests/worker/jobs/test_state_machine.py
"""

import inspect
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tenfold.worker.db.records import Job, Step
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobKind, StepKind, StepState
from tenfold.worker.errors import IdempotencyConflict, InvalidSubmission, LeaseLost, UnknownJob, WrongState
from tenfold.worker.jobs import submission
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.queue import QUEUES
from tenfold.worker.settings import Settings
from tenfold.worker.upkeep.reset_job import discard_work
from tests.conftest import every_database
from tests.paths import ROOT
from tests.worker import invariants
from tests.worker.conftest import LEASE_SECONDS
from tests.worker.rows import ended
from tests.worker.world import PEOPLE, ROUNDS_TO_THE_END, WINDOW, World

EXAMPLES = int(os.environ.get("TENFOLD_TEST_EXAMPLES", "0"))

PROFILE = settings(
    max_examples=EXAMPLES or 16,
    stateful_step_count=40,
    # The same examples each time in the suite, others in a long run.
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

THREADS = 4
ACTIONS_PER_THREAD = 40

ARCHITECTURE = ROOT / "docs" / "architecture.md"

OWNERS = [None, *PEOPLE]

# What people, workers, time and Redis do; some of it more often than the rest.
HAPPENINGS = [
    "somebody_submits_a_job",
    "somebody_cancels_a_job",
    "somebody_retries_a_job",
    "somebody_deletes_a_job",
    "the_work_of_an_ended_job_is_removed",
    *["a_worker_takes_a_message"] * 2,
    *["a_worker_does_what_a_message_says"] * 4,
    *["a_worker_looks_for_work_itself"] * 3,
    *["a_worker_finishes"] * 2,
    *["a_worker_does_not_finish"] * 2,
    "a_worker_renews",
    "a_worker_records_an_epoch",
    *["time_passes"] * 2,
    "a_worker_heals",
    "redis_loses_messages",
    "redis_delivers_a_message_twice",
]


@dataclass
class Held:
    """A lease that somebody was given, and what they think of it."""

    lease: Lease
    expires_at: float
    lost: bool = False
    seen: list[Job] | None = None


class Interleavings(RuleBasedStateMachine):
    """One thing at a time, as the database would let contenders in one after the other.

    One rule, and a generator of its own that decides what is done: Hypothesis makes most of its examples by changing
    a few steps of the last one, which leads to far fewer different orders.
    """

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()
        self.before = self.world.rows()
        self.held: list[Held] = []

    @initialize(random=st.randoms(use_true_random=True))
    def begin(self, random: Random) -> None:
        self.random = random
        self.somebody_submits_a_job()

    @rule()
    def let_something_happen(self) -> None:
        what = self.random.choice(HAPPENINGS)
        note(f"    {what}")
        getattr(self, what)()

    def one_of(self, among: Sequence[Any]) -> Any:
        """Of the newest few: what was begun is more likely to be gone on with."""
        return self.random.choice(among[-4:])

    def somebody_submits_a_job(self) -> None:
        kind, owner = self.random.choice([*JobKind, JobKind.SWEEP]), self.random.choice(OWNERS)
        key = self.random.choice([None, None, "k", "l"])
        known = {job.idempotency_key for job in self.before.jobs.values()} - {None}
        with suppress(InvalidSubmission, IdempotencyConflict):
            job = self.world.submit(kind, owner, key)
            assert (job.id in self.before.jobs) == (job.idempotency_key in known)
        self.look()

    def somebody_cancels_a_job(self) -> None:
        self.ask_of_a_job(lambda job: self.world.services.jobs.cancel(job.id), ended_ones=False)

    def somebody_retries_a_job(self) -> None:
        self.ask_of_a_job(lambda job: submission.retry(self.world.services, job.id), ended_ones=True)

    def somebody_deletes_a_job(self) -> None:
        self.ask_of_a_job(lambda job: submission.delete(self.world.services, job.id), ended_ones=True)

    def the_work_of_an_ended_job_is_removed(self) -> None:
        def remove(job: Job) -> None:
            services = self.world.services
            services.volume.work(job.id).mkdir(parents=True, exist_ok=True)
            discard_work(services.database, services.volume, job.id, job.kind)

        self.ask_of_a_job(remove, ended_ones=True)

    def a_worker_takes_a_message(self) -> None:
        queue = self.random.choice(list(QUEUES))
        named = self.world.receive(queue)
        lease = self.world.services.scheduler.claim(named, "worker") if named is not None else None
        if lease is not None:
            self.take(lease)
            invariants.the_person_with_the_fewest_running_steps_is_next(self.before, self.world.rows(), lease.step_id)
        self.look()

    def a_worker_does_what_a_message_says(self) -> None:
        claimed = len(self.held)
        self.a_worker_takes_a_message()
        if len(self.held) > claimed:
            self.finishes(self.held[-1])

    def a_worker_looks_for_work_itself(self) -> None:
        """As a one-shot worker does, or with a message that came late."""
        if self.before.steps:
            lease = self.world.services.leases.claim(self.step_to_do().id, "one-shot")
            if lease is not None:
                self.take(lease)
            self.look()

    def a_worker_finishes(self) -> None:
        if self.held:
            self.finishes(self.one_of(self.held))

    def a_worker_does_not_finish(self) -> None:
        if self.held:
            held = self.one_of(self.held)
            how = self.random.choice(["release", "requeue_after_error", "fail_job", "prune_trial"])
            if how == "prune_trial" and held.lease.parent_id is None:
                how = "fail_job"
            reason = ["why"] if how in ("fail_job", "prune_trial") else []
            before = self.before
            self.commit_outputs(held, lambda: getattr(self.world.services.leases, how)(held.lease, *reason))
            if how == "release" and not held.lost:
                invariants.releasing_is_no_attempt(before, self.before, held.lease.step_id)
            held.lost = True

    def a_worker_renews(self) -> None:
        if self.held:
            held, leases = self.one_of(self.held), self.world.services.leases
            assert leases.holds(held.lease) != self.has_lost(held)
            self.commit_outputs(held, lambda: leases.renew(held.lease))
            held.expires_at = self.world.clock() + LEASE_SECONDS

    def a_worker_records_an_epoch(self) -> None:
        held = self.one_of([held for held in self.held if held.lease.kind is StepKind.TRAIN] or [None])
        if held is not None:
            leases = self.world.services.leases
            self.commit_outputs(held, lambda: leases.record_progress(held.lease, 1, {"history": [1]}))
            held.expires_at = self.world.clock() + LEASE_SECONDS

    def time_passes(self) -> None:
        self.world.clock.advance(self.random.choice([1.0, LEASE_SECONDS / 2, LEASE_SECONDS + 1.0]))
        self.look()

    def a_worker_heals(self) -> None:
        self.world.reconciler.reconcile()
        self.look()

    def redis_loses_messages(self) -> None:
        if self.random.random() < 0.5:
            self.world.redis.flushdb()
        else:
            self.world.receive(self.random.choice(list(QUEUES)))

    def redis_delivers_a_message_twice(self) -> None:
        if self.before.steps:
            step = self.step_to_do()
            self.world.services.queue.announce(self.queue_of(step), [step.id])

    def step_to_do(self) -> Step:
        steps = [self.before.steps[step_id] for step_id in sorted(self.before.steps)]
        step: Step = self.one_of(
            [step for step in steps if step.state in (StepState.QUEUED, StepState.RUNNING)] or steps
        )
        return step

    def queue_of(self, step: Step) -> JobKind:
        return next(queue for queue, kinds in QUEUES.items() if step.kind in kinds)

    def ask_of_a_job(self, ask: Callable[[Job], object], *, ended_ones: bool) -> None:
        jobs = list(self.before.jobs.values())
        if jobs:
            with suppress(WrongState):
                ask(self.one_of([job for job in jobs if ended(job) == ended_ones] or jobs))
            self.look()

    def teardown(self) -> None:
        """One worker is left, and does whatever is announced."""
        for _ in range(ROUNDS_TO_THE_END):
            if all(ended(job) for job in self.before.jobs.values()):
                break
            self.world.wait_out_leases()
            self.a_worker_heals()
            invariants.queued_steps_are_announced_after_reconciling(self.before, self.world.waiting(), WINDOW)
            self.do_all_that_is_announced()
        invariants.every_job_ends(self.before)

    def do_all_that_is_announced(self) -> None:
        for queue in QUEUES:
            while (named := self.world.receive(queue)) is not None:
                lease = self.world.services.scheduler.claim(named, "the last")
                if lease is not None:
                    held = Held(lease, self.world.clock() + LEASE_SECONDS)
                    self.look()
                    self.finishes(held)

    def take(self, lease: Lease) -> None:
        """A sweep's step looks at its trials at once; what happens until it finishes it does not know of."""
        held = Held(lease, self.world.clock() + LEASE_SECONDS)
        if lease.kind is StepKind.ADVANCE:
            held.seen = list(self.world.services.jobs.trials(lease.job_id))
        self.held.append(held)

    def has_lost(self, held: Held) -> bool:
        return held.lost or held.expires_at < self.world.clock()

    def commit_outputs(self, held: Held, write: Callable[[], object]) -> None:
        """Who holds the lease writes; who has lost it, by our own books, is told so and has written nothing."""
        held.lost = self.has_lost(held)
        if held.lost:
            with pytest.raises(LeaseLost):
                write()
            invariants.a_worker_without_the_lease_writes_nothing(self.before, self.world.rows())
        else:
            write()
            self.look()

    def finishes(self, held: Held) -> None:
        shards = self.random.randint(1, 3)
        self.commit_outputs(held, lambda: self.world.finish(held.lease, shards, held.seen))
        held.lost = True

    def look(self) -> None:
        """Hold what was done against every invariant."""
        after = self.world.rows()
        for always in invariants.ALWAYS:
            always(after)
        for change in invariants.CHANGES:
            change(self.before, after)
        for held in self.held:
            job = after.jobs.get(held.lease.job_id)
            held.lost |= job is None or ended(job)
        self.before = after


@every_database
def test_whatever_is_done_in_whichever_order_every_promise_holds(world: World) -> None:
    class OfThisWorld(Interleavings):
        pass

    OfThisWorld.world = world

    run_state_machine_as_test(OfThisWorld, settings=PROFILE)


@every_database
@pytest.mark.parametrize("seed", range(EXAMPLES or 2))
def test_whatever_is_done_at_the_same_time_every_promise_holds(world: World, seed: int) -> None:
    world.begin()
    start = threading.Barrier(THREADS)
    unexpected: list[BaseException] = []

    def do_this_and_that(number: int) -> None:
        start.wait()
        try:
            do_at_random(world, Random(f"{seed} {number}"))
        except BaseException as error:
            unexpected.append(error)

    threads = [threading.Thread(target=do_this_and_that, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert unexpected == []
    for always in invariants.ALWAYS:
        always(world.rows())
    world.bring_everything_to_its_end()
    for always in invariants.ALWAYS:
        always(world.rows())
    invariants.every_job_ends(world.rows())


def do_at_random(world: World, random: Random) -> None:
    """What one of several contenders does, each of whom sees the others' jobs and nothing of their leases."""
    services, held = world.services, [None]
    for _ in range(ACTIONS_PER_THREAD):
        jobs = services.jobs.list(limit=6)
        job = random.choice(jobs) if jobs else None
        with suppress(LeaseLost, WrongState, UnknownJob, InvalidSubmission, IdempotencyConflict):
            match random.choices(["submit", "take", "finish", "ask", "pass"], [3, 6, 6, 3, 1])[0]:
                case "submit":
                    kind = random.choice([JobKind.TRAINING, JobKind.CLASSIFICATION, JobKind.SWEEP])
                    world.submit(kind, random.choice([None, *PEOPLE]), random.choice([None, "k"]))
                case "take":
                    named = world.receive(random.choice(list(QUEUES)))
                    held.append(services.scheduler.claim(named, "worker") if named is not None else None)
                case "finish":
                    if (lease := held.pop() if held else None) is not None:
                        world.finish(lease, random.randint(1, 3))
                case "ask":
                    ask = random.choice([services.jobs.cancel, services.jobs.retry, services.jobs.delete])
                    if job is not None:
                        ask(job.id)
                case "pass":
                    world.clock.advance(random.choice([1.0, LEASE_SECONDS + 1.0]))
                    world.reconciler.reconcile()


def test_the_docs_promise_what_is_held() -> None:
    promised = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", ARCHITECTURE.read_text(), re.MULTILINE))
    held = [*invariants.ALWAYS, *invariants.CHANGES, *invariants.AFTERWARDS]

    assert {name: promise for name, promise in promised.items() if hasattr(invariants, name)} == {
        function.__name__: " ".join((function.__doc__ or "").split()) for function in held
    }
    assert {function.__name__ for function in held} == {
        name
        for name, function in inspect.getmembers(invariants, inspect.isfunction)
        if function.__module__ == invariants.__name__ and function.__doc__
    }


@pytest.fixture
def world(tmp_path: Path, redis_url: str, database_url: str | None) -> Iterator[World]:
    opened = World(Settings(data=tmp_path, redis_url=redis_url, database_url=database_url))
    migrate(opened.services.database)
    yield opened
    opened.close()
