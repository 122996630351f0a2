"""What each write and read of a job's life costs one process, with so many other jobs in the tables."""

import time
from typing import Any

from benchmarks.scale import bare
from benchmarks.scale.seeding import PARAMETERS, SOURCE
from benchmarks.scale.timings import Timings
from tenfold.worker.db.database import Database
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import Lease, LeaseStore, Shard
from tenfold.worker.jobs.scheduler import FairScheduler
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.jobs.submission import new_id

SHARDS = 2


def measure(database: Database, seconds: float) -> list[dict[str, Any]]:
    """A row for each operation of a classification of two shards, its life lived again and again for so long.

    A bare UPDATE stands in each round beside them.
    """
    timings = Timings()
    jobs, leases = JobStore(database), LeaseStore(database, ClaimRules(lease_seconds=60, max_attempts=3))
    scheduler = FairScheduler(database, leases)
    with bare.updating(database, 0) as update:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            timings.of("bare UPDATE", update)
            _live(timings, jobs, leases, scheduler)
    return timings.rows()


def _live(timings: Timings, jobs: JobStore, leases: LeaseStore, scheduler: FairScheduler) -> None:
    job_id = new_id()

    def claim(step_id: int) -> Lease:
        lease = timings.of("claim", lambda: scheduler.claim(step_id, "benchmark"))
        assert lease is not None
        return lease

    timings.of(
        "submit",
        lambda: jobs.submit(
            job_id, JobKind.CLASSIFICATION, PARAMETERS, total=SHARDS, source=SOURCE, fingerprint=job_id
        ),
    )
    [first] = timings.of("find its steps", lambda: jobs.queued_steps(job_id))
    plan = claim(first)
    shards = [Shard(number, number + 1) for number in range(SHARDS)]
    steps = timings.of("finish the plan", lambda: leases.finish_plan(plan, shards, {}))
    for step_id in steps:
        lease = claim(step_id)
        timings.of("renew", lambda lease=lease: leases.renew(lease))  # type: ignore[misc]
        timings.of("check the lease", lambda lease=lease: leases.holds(lease))  # type: ignore[misc]
        timings.of("poll the row", lambda: jobs.get(job_id))
        merge_step = timings.of("finish a shard", lambda lease=lease: leases.finish_shard(lease, 1, {}))  # type: ignore[misc]
    merge = claim(merge_step[0])
    timings.of("finish the job", lambda: leases.finish_job(merge, {}))
