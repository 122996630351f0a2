"""One-shot mode: work on one job, and exit with a code that says how it ended.

It takes no messages but reads the rows, so a Kubernetes Job, a batch system or cron can run it.
"""

import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from tenfold.worker.db.states import JobKind, JobState
from tenfold.worker.errors import UnknownJob
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.queue import QUEUES
from tenfold.worker.observability.heartbeat import Heartbeat
from tenfold.worker.observability.liveness_file import beat_forever
from tenfold.worker.observability.metrics_server import serve_metrics
from tenfold.worker.observability.tracing import set_up_tracing, stop_tracing
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings

if TYPE_CHECKING:
    from tenfold.worker.process.runner import Outcome, Runner

log = logging.getLogger(__name__)

# Steps to try: others may claim the first ones before this worker does.
CANDIDATES = 20


class ExitCode(IntEnum):
    """Exit codes of a one-shot worker, from sysexits.h. Any other code is a crash, and worth a retry."""

    DONE = 0  # or there was nothing to do
    JOB_FAILED = 65  # its row says why; a retry would fail too
    TRY_AGAIN = 75  # told to stop, or an error that may be temporary: the step is queued again


def run_one_job(settings: Settings, queues: Sequence[JobKind], job_id: str | None = None) -> ExitCode:
    """Work on the next job, until it has ended or other workers have its remaining steps.

    Args:
        queues: where to look for a job.
        job_id: work on this job instead.
    """
    told_to_stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: told_to_stop.append(received))
    set_up_tracing("tenfold-worker")
    serve_metrics(settings)
    services = Services.open(settings)
    try:
        if job_id is not None:
            services.jobs.get(job_id)
        return _OneShot(services, queues, lambda: bool(told_to_stop)).run(job_id)
    except UnknownJob as error:
        log.error("%s", error)
        return ExitCode.JOB_FAILED
    finally:
        services.database.close()
        stop_tracing()


class _OneShot:
    def __init__(self, services: Services, queues: Sequence[JobKind], shutting_down: Callable[[], bool]) -> None:
        self._services = services
        self._queues = queues
        self._steps = [step for queue in queues for step in QUEUES[queue]]
        self._shutting_down = shutting_down

    def run(self, job_id: str | None) -> ExitCode:
        for failed in self._services.waiting.fail_exhausted():
            log.warning("job %s failed: a step used up its attempts", failed)
        if self._services.waiting.claimable(self._steps, job_id=job_id, at_most=1):
            with _loaded_runner(self._services, self._shutting_down) as runner:
                job_id, outcome = self._work(runner, job_id)
            if self._shutting_down() or (outcome is not None and outcome.to_be_tried_again):
                return ExitCode.TRY_AGAIN
        if job_id is None:
            log.info("nothing to do")
        elif self._services.jobs.get(job_id).state is JobState.FAILED:
            return ExitCode.JOB_FAILED
        return ExitCode.DONE

    def _work(self, runner: "Runner", job_id: str | None) -> "tuple[str | None, Outcome | None]":
        """Work on steps of one job while there are any; return the job's id and the outcome of the last step."""
        last = None
        while (tried := self._try_one(runner, job_id)) is not None:
            job_id, last = tried
            if last.to_be_tried_again:
                break
        return job_id, last

    def _try_one(self, runner: "Runner", job_id: str | None) -> "tuple[str, Outcome] | None":
        lease = None if self._shutting_down() else self._claim(job_id)
        if lease is None:
            return None
        outcome = runner.work(lease)
        self._drop_announcement()
        return lease.job_id, outcome

    def _claim(self, job_id: str | None) -> Lease | None:
        """Claim a step of this job; without one, of the next job."""
        services = self._services
        claim = services.scheduler.claim if job_id is None else services.leases.claim
        for step_id in services.waiting.claimable(self._steps, job_id=job_id, at_most=CANDIDATES):
            if (lease := claim(step_id, services.worker)) is not None:
                return lease
        return None

    def _drop_announcement(self) -> None:
        """Discard one message: if all workers are one-shot, nobody else takes messages. It need not be this step's,
        since missing ones are announced again."""
        try:
            self._services.queue.drop_one(self._queues[0])
        except RedisError as error:
            log.warning("Redis is away, a message stays in the queue: %s", error)


@contextmanager
def _loaded_runner(services: Services, shutting_down: Callable[[], bool]) -> "Iterator[Runner]":
    from tenfold.trainer.runtime import configure, device_in_use, gpu_memory_bytes

    settings = services.settings
    heartbeat = Heartbeat(services.registry, services.worker, "worker")
    heartbeat.start()
    try:
        configure(settings.threads_per_process, device=settings.device, precision=settings.precision)
        from tenfold.worker.process.runner import Runner

        heartbeat.ready(device_in_use(), gpu_memory_bytes)
        # Ready: KEDA stops counting this worker among those that have yet to claim a step.
        beat_forever(settings.heartbeat_file)
        yield Runner(services, shutting_down, heartbeat.at_work)
    finally:
        heartbeat.stop()
