"""How many steps a second a database lets through, by how many claim at once, as threads and as processes."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from typing import Any, Literal

from benchmarks.scale import bare
from benchmarks.scale.seeding import add_shards, requeue
from benchmarks.scale.timings import summary
from tenfold.worker.db.database import Database
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import Lease, LeaseStore

Kind = Literal["threads", "processes"]

# More than are claimed in a second.
STEPS_A_SECOND = 4_000
WARM_UP = 3

FORK = multiprocessing.get_context("fork")

# What all claimants of a round wait at until each has opened its connection and done what is only done once.
_start: Barrier


def measure(url: str, claimants: Sequence[int], seconds: float) -> list[dict[str, Any]]:
    """A row for each action, kind of claimant and number of them.

    `claim` and `step` (claim and hand-in) are of shards of as many jobs, `step of one job` of one job's: these all
    change that job's row.
    """
    database = Database(url)
    bare.make_table(database, max(claimants))
    count = WARM_UP * max(claimants) + int(STEPS_A_SECOND * seconds)
    many, one = add_shards(database, count, 1), add_shards(database, 1, count)
    rows = []
    actions: dict[str, tuple[Any, Sequence[int]]] = {
        "bare UPDATE": (_update, many),
        "claim": (_claim, many),
        "step": (_step, many),
        "step of one job": (_step, one),
    }
    for number in claimants:
        for name, (action, steps) in actions.items():
            for kind in _kinds(number):
                requeue(database, steps)
                database.close()  # no connection is carried over the fork
                taken = _together(kind, number, partial(action, url), steps, seconds)
                rows.append({"action": name, "claimants": number, "kind": kind} | _rate(taken))
    database.close()
    return rows


def _kinds(number: int) -> Sequence[Kind]:
    return ("processes",) if number == 1 else ("threads", "processes")


def _together(
    kind: Kind, number: int, action: Callable[..., list[float]], steps: Sequence[int], seconds: float
) -> list[list[float]]:
    with _pool(kind, number) as pool:
        parts = [pool.submit(action, row, steps[row::number], seconds) for row in range(number)]
        return [part.result() for part in parts]


def _pool(kind: Kind, number: int) -> Executor:
    barrier = FORK.Barrier(number)
    if kind == "threads":
        return ThreadPoolExecutor(number, initializer=_start_at, initargs=(barrier,))
    return ProcessPoolExecutor(number, mp_context=FORK, initializer=_start_at, initargs=(barrier,))


def _start_at(barrier: Barrier) -> None:
    global _start
    _start = barrier


def _update(url: str, row: int, _steps: Sequence[int], seconds: float) -> list[float]:
    database = Database(url)
    with bare.updating(database, row) as update:
        return list(_timed(update, seconds))


def _claim(url: str, _row: int, steps: Sequence[int], seconds: float) -> list[float]:
    left = iter(steps)
    with _leases(url) as leases:
        return list(_timed(lambda: _claimed(leases, next(left)), seconds))


def _step(url: str, _row: int, steps: Sequence[int], seconds: float) -> list[float]:
    left = iter(steps)
    with _leases(url) as leases:
        return list(_timed(lambda: leases.finish_shard(_claimed(leases, next(left)), 1, {}), seconds))


@contextmanager
def _leases(url: str) -> Iterator[LeaseStore]:
    database = Database(url)
    yield LeaseStore(database, ClaimRules(lease_seconds=60, max_attempts=3))
    database.close()


def _claimed(leases: LeaseStore, step_id: int) -> Lease:
    lease = leases.claim(step_id, "benchmark")
    assert lease is not None
    return lease


def _timed(action: Callable[[], object], seconds: float) -> Iterator[float]:
    """How long each took of those that began within the time, after a few to warm up."""
    for _ in range(WARM_UP):
        action()
    _start.wait()
    deadline = time.monotonic() + seconds
    while (began := time.monotonic()) < deadline:
        try:
            action()
        except StopIteration:
            return
        yield time.monotonic() - began


def _rate(taken: list[list[float]]) -> dict[str, float]:
    """All claimants' together: each one's rate is over its own time."""
    together = sum(len(one) / sum(one) for one in taken if one)
    return summary([seconds for one in taken for seconds in one]) | {"a_second": together}
