"""Runs one step: claims it, does its work under a lease, and records the outcome."""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from enum import Enum, auto

from tenfold.trainer.errors import TrainerError
from tenfold.worker.checks import step as checking
from tenfold.worker.classification import merging
from tenfold.worker.classification import step as classification
from tenfold.worker.comparisons import step as comparing
from tenfold.worker.datasets import importing
from tenfold.worker.db.states import JobKind, StepKind
from tenfold.worker.errors import LeaseLost, ShuttingDown, TrialPruned, UnknownJob, WorkerError
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.model_import import step as model_import
from tenfold.worker.observability.logs import logging_about
from tenfold.worker.observability.metrics import LEASE_EXPIRIES, STEP_SECONDS, STEPS
from tenfold.worker.observability.tracing import note, step_traced
from tenfold.worker.process.lease_renewer import LeaseRenewer
from tenfold.worker.review import step as correcting
from tenfold.worker.services import Services
from tenfold.worker.storage.volume import Volume
from tenfold.worker.sweeps import step as sweeps
from tenfold.worker.training import step as training

log = logging.getLogger(__name__)

# Its arguments: the services, the lease, and a function that raises when the work must stop.
Work = Callable[[Services, Lease, Callable[[], None]], None]

WORK: dict[StepKind, Work] = {
    StepKind.TRAIN: training.train_model,
    StepKind.PLAN: classification.plan,
    StepKind.SHARD: classification.classify_shard,
    StepKind.MERGE: merging.merge,
    StepKind.IMPORT: importing.import_upload,
    StepKind.ADVANCE: sweeps.advance,
    StepKind.CORRECT: correcting.merge_corrections,
    StepKind.COMPARE: comparing.compare_models,
    StepKind.CHECK: checking.check_labels,
    StepKind.IMPORT_MODEL: model_import.import_model,
}

# Steps that create millions of short-lived objects and no reference cycles. Python's garbage collector would scan all
# of TensorFlow's objects again and again, which takes a third of a shard's time.
WITHOUT_CYCLES = frozenset({StepKind.PLAN, StepKind.SHARD, StepKind.MERGE})


class Outcome(Enum):
    """How the work on a claimed step ended."""

    DONE = auto()
    RELEASED = auto()  # the attempt does not count
    REQUEUED = auto()  # after an error that may be temporary; the attempt counts
    JOB_FAILED = auto()
    LOST = auto()  # the job was cancelled, or another worker took the step over

    @property
    def to_be_tried_again(self) -> bool:
        return self in (Outcome.RELEASED, Outcome.REQUEUED)


def _unreported(_job_id: str, _step: StepKind, _position: int) -> AbstractContextManager[None]:
    return nullcontext()


class Runner:
    """Runs steps in this process, one at a time.

    Args:
        services: opened in this process.
        shutting_down: whether this worker was told to stop.
        at_work: makes a context for each step from its job's id, kind and position: `Heartbeat.at_work`.
    """

    def __init__(
        self,
        services: Services,
        shutting_down: Callable[[], bool],
        at_work: Callable[[str, StepKind, int], AbstractContextManager[object]] = _unreported,
    ) -> None:
        self._services = services
        self._shutting_down = shutting_down
        self._at_work = at_work

    def run(self, step_id: int) -> None:
        """Claim this step, or the one that is next, and work on it. Does nothing if there is none to claim."""
        if self._shutting_down():
            return
        lease = self._services.scheduler.claim(step_id, self._services.worker)
        if lease is None:
            log.debug("step %d cannot be claimed", step_id)
            return
        self.work(lease)

    def work(self, lease: Lease) -> Outcome:
        """Work on a claimed step."""
        settings = self._services.settings
        renewer = LeaseRenewer(
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
                    renewer,
                    self._at_work(lease.job_id, lease.kind, lease.position),
                    _collector_paused(lease.kind in WITHOUT_CYCLES),
                    STEP_SECONDS.labels(lease.kind.value).time(),
                    self._traced(lease),
                ):
                    outcome = self._work(lease, renewer.check)
                    note({"tenfold.outcome": outcome.name.lower()})
            except LeaseLost as lost:
                log.info("stopped: %s", lost)
                outcome = Outcome.LOST
            STEPS.labels(lease.kind.value, outcome.name.lower()).inc()
            self._services.live.clear(lease.job_id, lease.step_id)
        self._note_bytes(lease)
        if lease.parent_id is not None:
            self._services.queue.announce(JobKind.SWEEP, self._services.jobs.queued_steps(lease.parent_id))
        return outcome

    def _traced(self, lease: Lease) -> AbstractContextManager[None]:
        attributes: dict[str, str | int] = {
            "tenfold.job": lease.job_id,
            "tenfold.position": lease.position,
            "tenfold.attempt": lease.attempt,
            "tenfold.worker": self._services.worker,
        }
        now = self._services.clock()
        return step_traced(lease.kind.value, lease.traceparent, attributes, queued_at=lease.queued_at, now=now)

    def _note_bytes(self, lease: Lease) -> None:
        """Record the size of an ended job's files, which counts toward its owner's quota."""
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
            log.info("released: this worker is stopping")
            leases.release(lease)
            return Outcome.RELEASED
        except TrialPruned as pruned:
            log.info("%s", pruned)
            leases.prune_trial(lease, str(pruned))
        except (TrainerError, WorkerError) as error:
            log.error("failed: %s", error)
            leases.fail_job(lease, str(error))
            return Outcome.JOB_FAILED
        except Exception as error:
            log.exception("the step had an error and is queued again")
            if lease.attempt >= self._services.settings.max_attempts:
                leases.fail_job(lease, f"{type(error).__name__}: {error} (after {lease.attempt} attempts)")
                return Outcome.JOB_FAILED
            leases.requeue_after_error(lease)
            return Outcome.REQUEUED
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
    """Write this process's log lines to the job's log file too, during the block."""
    with volume.storage.append(volume.log(job_id)) as path:
        try:
            handler = logging.FileHandler(path, encoding="utf-8")
        except OSError as error:  # the job was deleted, or the disk is full: work anyway
            log.warning("cannot write the job's log: %s", error)
            yield
            return
        handler.setFormatter(logging.Formatter(f"%(asctime)s {worker} %(levelname)s %(message)s"))
        logger = logging.getLogger("tenfold")
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            with suppress(OSError):  # what a full disk did not take
                handler.close()
