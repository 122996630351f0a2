"""Runs one step: claim it, do its work under a lease, and hand in what came of it."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from enum import Enum, auto

from trainer.errors import TrainerError
from worker import classification, correcting, importing, merging, sweeps, training
from worker.errors import LeaseLost, ShuttingDown, TrialPruned, UnknownJob, WorkerError
from worker.keeper import LeaseKeeper
from worker.leases import Lease
from worker.logs import logging_about
from worker.metrics import LEASE_EXPIRIES, STEP_SECONDS, STEPS
from worker.services import Services
from worker.states import JobKind, StepKind
from worker.tracing import note, step_traced
from worker.volume import Volume

log = logging.getLogger(__name__)

# Takes the services, the lease, and a function that raises when the work must stop.
Work = Callable[[Services, Lease, Callable[[], None]], None]

WORK: dict[StepKind, Work] = {
    StepKind.TRAIN: training.train_model,
    StepKind.PLAN: classification.plan,
    StepKind.SHARD: classification.classify_shard,
    StepKind.MERGE: merging.merge,
    StepKind.IMPORT: importing.import_upload,
    StepKind.ADVANCE: sweeps.advance,
    StepKind.CORRECT: correcting.merge_corrections,
}

# Steps that make millions of short-lived objects and no reference cycles. Python's collector of cycles would go through
# all of TensorFlow's objects again and again meanwhile, which takes a third of a shard's time.
WITHOUT_CYCLES = frozenset({StepKind.PLAN, StepKind.SHARD, StepKind.MERGE})


class Outcome(Enum):
    """What came of a step that was claimed."""

    DONE = auto()
    GIVEN_BACK = auto()  # as if it had not been tried
    PUT_BACK = auto()  # after an error that may pass; the attempt counts
    JOB_FAILED = auto()
    LOST = auto()  # the job was cancelled meanwhile, or another worker took the step over

    @property
    def to_be_tried_again(self) -> bool:
        return self in (Outcome.GIVEN_BACK, Outcome.PUT_BACK)


class Runner:
    """Runs steps in this process, one at a time.

    Args:
        services: opened in this process.
        shutting_down: whether this worker was told to stop.
        at_work: what to enter while a step is worked on; `SignOfLife.at_work` tells people.
    """

    def __init__(
        self,
        services: Services,
        shutting_down: Callable[[], bool],
        at_work: Callable[[Lease], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._services = services
        self._shutting_down = shutting_down
        self._at_work = at_work

    def run(self, step_id: int) -> None:
        """Try a step, or the one whose turn it is. Does nothing when another worker has it or its job has ended."""
        if self._shutting_down():
            return
        lease = self._services.line.claim(step_id, self._services.worker)
        if lease is None:
            log.debug("step %d is not to be had", step_id)
            return
        self.work(lease)

    def work(self, lease: Lease) -> Outcome:
        """Do the step that was claimed."""
        settings = self._services.settings
        keeper = LeaseKeeper(
            self._services.leases,
            lease,
            lease_seconds=settings.lease_seconds,
            check_seconds=settings.lease_check_seconds,
            shutting_down=self._shutting_down,
        )
        with (
            logging_about(job=lease.job_id, step=lease.step_id),
            self._services.volume.storage.at_work(self._services.volume.job(lease.job_id)),
            log_to_job(self._services.volume, lease.job_id, self._services.worker),
        ):
            log.info("%s %d: attempt %d", lease.kind.value, lease.position, lease.attempt)
            LEASE_EXPIRIES.labels(lease.kind.value).inc(lease.taken_over)
            try:
                with (
                    keeper,
                    self._at_work(lease),
                    _collector_paused(lease.kind in WITHOUT_CYCLES),
                    STEP_SECONDS.labels(lease.kind.value).time(),
                    step_traced(lease, self._services.worker, self._services.clock()),
                ):
                    outcome = self._work(lease, keeper.check)
                    note({"tenfold.outcome": outcome.name.lower()})
            except LeaseLost as lost:
                log.info("stopped: %s", lost)
                outcome = Outcome.LOST
            STEPS.labels(lease.kind.value, outcome.name.lower()).inc()
            self._services.live.clear(lease.job_id, lease.step_id)
        self._note_bytes(lease)
        if lease.parent_id is not None:
            self._services.queue.announce(JobKind.SWEEP, self._services.jobs.steps_in_line(lease.parent_id))
        return outcome

    def _note_bytes(self, lease: Lease) -> None:
        """What a job leaves on the volume counts for its owner."""
        if lease.owner is None:
            return
        with suppress(UnknownJob, OSError):
            if self._services.jobs.get(lease.job_id).state.final:
                self._services.jobs.note_bytes(lease.job_id, self._services.volume.bytes_of_job(lease.job_id))

    def _work(self, lease: Lease, check: Callable[[], None]) -> Outcome:
        leases = self._services.leases
        try:
            WORK[lease.kind](self._services, lease, check)
        except LeaseLost:
            raise
        except ShuttingDown:
            log.info("given back: this worker is stopping")
            leases.give_back(lease)
            return Outcome.GIVEN_BACK
        except TrialPruned as pruned:
            log.info("%s", pruned)
            leases.give_up_trial(lease, str(pruned))
        except (TrainerError, WorkerError) as error:
            log.error("failed: %s", error)
            leases.fail_job(lease, str(error))
            return Outcome.JOB_FAILED
        except Exception as error:
            log.exception("the step met an error and goes back in line")
            if lease.attempt >= self._services.settings.max_attempts:
                leases.fail_job(lease, f"{type(error).__name__}: {error} (after {lease.attempt} attempts)")
                return Outcome.JOB_FAILED
            leases.put_back_after_error(lease)
            return Outcome.PUT_BACK
        return Outcome.DONE


@contextmanager
def _collector_paused(paused: bool) -> Iterator[None]:
    if paused:
        gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def log_to_job(volume: Volume, job_id: str, worker: str) -> Iterator[None]:
    """What this process logs during the block also goes to the job's log file."""
    with volume.storage.append(volume.log(job_id)) as path:
        try:
            handler = logging.FileHandler(path, encoding="utf-8")
        except OSError as error:  # the job was deleted, or the disk is full: neither is a reason not to work
            log.warning("nothing goes to the job's log: %s", error)
            yield
            return
        handler.setFormatter(logging.Formatter(f"%(asctime)s {worker} %(levelname)s %(message)s"))
        loggers = [logging.getLogger("worker"), logging.getLogger("trainer")]
        for logger in loggers:
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(handler)
            with suppress(OSError):  # what a full disk did not take
                handler.close()
