"""One-shot mode: claim one job, do what is to be done of it, and end with a code that says how.

It takes no messages: it asks the rows. So a Kubernetes Job, a batch system or a line of cron can be a worker.
"""

import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from worker.errors import UnknownJob
from worker.heartbeat import beat_for_ever
from worker.leases import Lease
from worker.metrics_server import serve_metrics
from worker.queue import QUEUES
from worker.services import Services
from worker.settings import Settings
from worker.sign_of_life import SignOfLife
from worker.states import JobKind, JobState
from worker.tracing import set_up_tracing, stop_tracing

if TYPE_CHECKING:
    from worker.runner import Outcome, Runner

log = logging.getLogger(__name__)

# Others may claim the first ones between the look and the claim.
CANDIDATES = 20


class ExitCode(IntEnum):
    """How a one-shot worker ends. The numbers are those of sysexits.h; any other is a crash, and worth another try."""

    DONE = 0  # or there was nothing to do
    JOB_FAILED = 65  # its row says why; another try would end alike
    TRY_AGAIN = 75  # told to stop, or an error that may pass: the step is in line again


def run_one_job(settings: Settings, queues: Sequence[JobKind], job_id: str | None = None) -> ExitCode:
    """Work on the job whose turn it is, until it has ended or others have what is left of it.

    Args:
        queues: of whose steps to take one.
        job_id: work on this job and no other.
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
            log.warning("job %s failed: a step was tried too often", failed)
        if self._services.waiting.claimable(self._steps, job_id=job_id, at_most=1):
            with _warm_runner(self._services, self._shutting_down) as runner:
                job_id, outcome = self._work(runner, job_id)
            if self._shutting_down() or (outcome is not None and outcome.to_be_tried_again):
                return ExitCode.TRY_AGAIN
        if job_id is None:
            log.info("nothing to do")
        elif self._services.jobs.get(job_id).state is JobState.FAILED:
            return ExitCode.JOB_FAILED
        return ExitCode.DONE

    def _work(self, runner: "Runner", job_id: str | None) -> "tuple[str | None, Outcome | None]":
        """Take steps of one job while there are any; return the job, and what came of its last step here."""
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
        """A step of this job; without one, a step of the job whose turn it is."""
        services = self._services
        claim = services.line.claim if job_id is None else services.leases.claim
        for step_id in services.waiting.claimable(self._steps, job_id=job_id, at_most=CANDIDATES):
            if (lease := claim(step_id, services.worker)) is not None:
                return lease
        return None

    def _drop_announcement(self) -> None:
        """One message less: where only one-shot workers take trainings, nobody else takes their messages. It need not
        be this step's, since whatever is missing is announced again."""
        try:
            self._services.queue.drop_one(self._queues[0])
        except RedisError as error:
            log.warning("Redis is away, an announcement stays there: %s", error)


@contextmanager
def _warm_runner(services: Services, shutting_down: Callable[[], bool]) -> "Iterator[Runner]":
    from trainer.devices import device_in_use, gpu_memory_bytes
    from trainer.runtime import configure

    settings = services.settings
    sign = SignOfLife(services.presence, services.worker, "worker")
    sign.start()
    try:
        configure(settings.threads_per_process, device=settings.device, precision=settings.precision)
        from worker.runner import Runner

        sign.ready(device_in_use(), gpu_memory_bytes)
        # From here on there is work: whoever counts workers that have yet to claim can leave this one out.
        beat_for_ever(settings.heartbeat_file)
        yield Runner(services, shutting_down, sign.at_work)
    finally:
        sign.stop()
