"""Announces lost steps again: those whose message Redis lost, and those whose worker died.

Every worker does this on a timer. The conditional UPDATEs in `waiting_steps.py` keep two of them from announcing the
same step.
"""

import logging
import threading
import time

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.queue import QUEUES, StepQueue
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.observability.metrics import EXHAUSTED, REANNOUNCED

log = logging.getLogger(__name__)

# A message between the queue and its claim counts as neither; that takes far less than this.
GRACE_SECONDS = 5.0


class Reconciler:
    """Keeps enough messages in the queue for the steps that could be claimed.

    The queue needs no message for every queued step. When it has fewer messages than there are claimable steps, both
    counted up to `window`, some were lost, and the steps announced longest ago are announced again. So a wiped Redis or
    a killed worker costs seconds, and there are never more repeated messages than the window.
    """

    def __init__(self, waiting: WaitingSteps, queue: StepQueue, *, window: int) -> None:
        self._waiting = waiting
        self._queue = queue
        self._window = window

    def reconcile(self) -> None:
        """Check once.

        Raises:
            RedisError: Redis is away.
            SQLAlchemyError: the database is away.
        """
        for job_id in self._waiting.fail_exhausted():
            log.warning("job %s failed: a step used up its attempts", job_id)
            EXHAUSTED.inc()
        for kind in QUEUES:
            for version in range(1, self._waiting.rules.version + 1):
                self._announce_lost(kind, version)

    def _announce_lost(self, kind: JobKind, version: int) -> None:
        steps = QUEUES[kind]
        claimable = self._waiting.count_claimable(steps, version, self._window)
        missing = claimable - self._queue.waiting(kind, version)
        lost = self._waiting.reannounce(
            steps, version, announced_before=self._waiting.rules.clock() - GRACE_SECONDS, limit=missing
        )
        if lost:
            log.info("announcing %d lost %s step(s) again", len(lost), kind.value)
            REANNOUNCED.inc(len(lost))
            self._queue.announce(kind, lost, version)


def reconcile_forever(reconciler: Reconciler, every_seconds: float) -> None:
    """Start a thread that reconciles until the process ends."""

    def run() -> None:
        while True:
            time.sleep(every_seconds)
            try:
                reconciler.reconcile()
            except (RedisError, SQLAlchemyError, OSError) as error:
                log.warning("could not look for lost steps, will try again: %s", error)
            except Exception:
                # Without this thread lost steps would stay lost, and nobody would notice.
                log.exception("could not look for lost steps, will try again")

    threading.Thread(target=run, name="reconciler", daemon=True).start()
