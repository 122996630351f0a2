"""Work of known cost in place of a classification's: a job's parameters say how much, and all else is real."""

from collections.abc import Callable

from benchmarks.scale.known_cost import spend
from tenfold.worker.db.states import JobKind, StepKind
from tenfold.worker.jobs.leases import Lease, Shard
from tenfold.worker.process.runner import WORK
from tenfold.worker.services import Services


def register() -> None:
    """Have this process, and those that it forks, do the stand-in work."""
    WORK[StepKind.PLAN] = _plan
    WORK[StepKind.SHARD] = _shard
    WORK[StepKind.MERGE] = _merge


def _plan(services: Services, lease: Lease, _check: Callable[[], None]) -> None:
    shards = [Shard(number, number + 1) for number in range(lease.parameters["shards"])]
    services.queue.announce(JobKind.CLASSIFICATION, services.leases.finish_plan(lease, shards, {}))


def _shard(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    spend(lease.parameters["work"], lease.parameters["milliseconds"])
    check()
    services.queue.announce(JobKind.CLASSIFICATION, services.leases.finish_shard(lease, 1, {}))


def _merge(services: Services, lease: Lease, _check: Callable[[], None]) -> None:
    services.leases.finish_job(lease, {})
