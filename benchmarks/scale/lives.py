"""What each write and read of a job's life costs one process, with so many other jobs in the tables."""

import time
from typing import Any

from benchmarks.scale import bare
from benchmarks.scale.seeding import PARAMETERS, SOURCE
from benchmarks.scale.timings import Timings
from worker.claim_rules import ClaimRules
from worker.database import Database
from worker.jobs import JobStore
from worker.leases import Lease, LeaseStore, Shard
from worker.people.sharing import FairLine
from worker.states import JobKind
from worker.submissions import new_id

SHARDS = 2


def measure(database: Database, seconds: float) -> list[dict[str, Any]]:
    """A row for each operation of a classification of two shards, its life lived again and again for so long.

    A bare UPDATE stands in each round beside them.
    """
    timings = Timings()
    jobs, leases = JobStore(database), LeaseStore(database, ClaimRules(lease_seconds=60, max_attempts=3))
    line = FairLine(database, leases)
    with bare.updating(database, 0) as update:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            timings.of("bare UPDATE", update)
            _live(timings, jobs, leases, line)
    return timings.rows()


def _live(timings: Timings, jobs: JobStore, leases: LeaseStore, line: FairLine) -> None:
    job_id = new_id()

    def claim(step_id: int) -> Lease:
        lease = timings.of("claim", lambda: line.claim(step_id, "benchmark"))
        assert lease is not None
        return lease

    timings.of(
        "submit",
        lambda: jobs.submit(
            job_id, JobKind.CLASSIFICATION, PARAMETERS, total=SHARDS, source=SOURCE, fingerprint=job_id
        ),
    )
    [first] = timings.of("find its steps", lambda: jobs.steps_in_line(job_id))
    plan = claim(first)
    shards = [Shard(number, number + 1) for number in range(SHARDS)]
    steps = timings.of("hand in the plan", lambda: leases.finish_plan(plan, shards, {}))
    for step_id in steps:
        lease = claim(step_id)
        timings.of("renew", lambda lease=lease: leases.renew(lease))  # type: ignore[misc]
        timings.of("check the lease", lambda lease=lease: leases.holds(lease))  # type: ignore[misc]
        timings.of("poll the row", lambda: jobs.get(job_id))
        merge_step = timings.of("hand in a shard", lambda lease=lease: leases.finish_shard(lease, 1, {}))  # type: ignore[misc]
    merge = claim(merge_step[0])
    timings.of("hand in the job", lambda: leases.finish_job(merge, {}))
