"""What KEDA asks the table of steps, asked of a real PostgreSQL with jobs in every state: it counts the work left."""

import time
from collections.abc import Callable
from itertools import count

import pytest
from sqlalchemy import text

from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import Lease, LeaseStore, Shard
from tenfold.worker.jobs.queue import QUEUES
from tenfold.worker.services import Services
from tenfold.worker.versions import STEP_VERSION
from tests.deploy.pods import Document, of_kind

pytestmark = pytest.mark.parametrize("database_kind", ["postgresql"])

AT_MOST = 100

Ask = Callable[[str], float]


@pytest.fixture
def ask(services: Services, keda: list[Document]) -> Ask:
    """What the query of the overlay's `ScaledObject` or `ScaledJob` answers now: the number that KEDA divides."""
    queries = {
        document["kind"]: trigger["metadata"]["query"]
        for document in of_kind(keda, "ScaledObject") + of_kind(keda, "ScaledJob")
        for trigger in document["spec"]["triggers"]
    }

    def ask(kind: str) -> float:
        with services.database.read() as session:
            [[answer]] = session.execute(text(queries[kind])).all()
        return float(answer)

    return ask


@pytest.fixture
def submit(services: Services) -> Callable[[JobKind], str]:
    numbers = count()

    def submit(kind: JobKind) -> str:
        job_id = f"job-{next(numbers):04d}"
        return services.jobs.submit(job_id, kind, {}, total=1, fingerprint="").id

    return submit


def claim(services: Services, job_id: str, leases: LeaseStore | None = None) -> Lease:
    lease = (leases or services.leases).claim(services.jobs.queued_steps(job_id)[0], "worker")
    assert lease is not None
    return lease


def test_there_is_a_job_of_kubernetes_for_each_training_that_a_one_shot_worker_could_claim(
    services: Services, ask: Ask, submit: Callable[[JobKind], str]
) -> None:
    an_hour_ago = LeaseStore(services.database, ClaimRules(15, 3, lambda: time.time() - 3600))
    submit(JobKind.TRAINING)
    submit(JobKind.CLASSIFICATION)
    claim(services, submit(JobKind.TRAINING))
    for _ in range(2):
        claim(services, submit(JobKind.TRAINING), leases=an_hour_ago)
    services.leases.release(claim(services, submit(JobKind.TRAINING)))
    services.leases.fail_job(claim(services, submit(JobKind.TRAINING)), "reason")
    services.leases.finish_job(claim(services, submit(JobKind.TRAINING)), {})
    services.jobs.cancel(submit(JobKind.TRAINING))

    assert ask("ScaledJob") == 4  # one queued, two whose worker died, one released
    assert services.waiting.count_claimable(QUEUES[JobKind.TRAINING], STEP_VERSION, AT_MOST) == 4


def test_workers_are_as_many_as_steps_in_line_and_at_work_ask_for(
    services: Services, ask: Ask, submit: Callable[[JobKind], str]
) -> None:
    for kind in set(JobKind) - {JobKind.TRAINING}:
        submit(kind)
    claim(services, submit(JobKind.REVIEW))
    submit(JobKind.TRAINING)
    assert ask("ScaledObject") == len(JobKind)

    plan = claim(services, submit(JobKind.CLASSIFICATION))
    first, *_ = services.leases.finish_plan(plan, [Shard(0, 1), Shard(1, 2), Shard(2, 3)], {})
    assert ask("ScaledObject") == len(JobKind) + 3  # the shards; the merge waits for them

    shard = services.leases.claim(first, "worker")
    assert shard is not None
    assert ask("ScaledObject") == len(JobKind) + 3
    services.leases.finish_shard(shard, 1, {})
    assert ask("ScaledObject") == len(JobKind) + 2


def test_there_is_nobody_when_all_has_ended(services: Services, ask: Ask, submit: Callable[[JobKind], str]) -> None:
    failed, cancelled = submit(JobKind.CLASSIFICATION), submit(JobKind.CLASSIFICATION)
    services.leases.finish_plan(claim(services, cancelled), [Shard(0, 1), Shard(1, 2)], {})
    services.jobs.cancel(cancelled)
    first, _ = services.leases.finish_plan(claim(services, failed), [Shard(0, 1), Shard(1, 2)], {})
    lease = services.leases.claim(first, "worker")
    assert lease is not None
    services.leases.fail_job(lease, "a shard that cannot be read, while another is in line")
    services.leases.finish_job(claim(services, submit(JobKind.TRAINING)), {})

    assert ask("ScaledObject") == 0
    assert ask("ScaledJob") == 0
