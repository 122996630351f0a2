"""Brings lost steps back: messages that Redis lost, and leases that a dead worker let expire.

Every worker heals on a timer; the conditional UPDATEs in `waiting_steps.py` keep two healers out of each other's way.
"""

import logging
import threading
import time

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from worker.metrics import ANNOUNCED_AGAIN, EXHAUSTED
from worker.queue import QUEUES, StepQueue
from worker.states import JobKind
from worker.waiting_steps import WaitingSteps

log = logging.getLogger(__name__)

# A message on its way from the queue to a claim is neither waiting nor claimed; it takes far less than this.
GRACE_SECONDS = 5.0


class Healer:
    """Keeps the queue topped up with what could be claimed.

    The queue need not hold a message for every step in line: when it holds fewer than could be claimed now,
    and than `window`, some were lost, and the longest unannounced are announced again. So a wiped Redis or a
    killed worker costs seconds, and repeated messages stay fewer than the window.
    """

    def __init__(self, waiting: WaitingSteps, queue: StepQueue, *, window: int) -> None:
        self._waiting = waiting
        self._queue = queue
        self._window = window

    def heal(self) -> None:
        """One look.

        Raises:
            RedisError: Redis is away.
            SQLAlchemyError: the database is away.
        """
        for job_id in self._waiting.fail_exhausted():
            log.warning("job %s failed: a step was tried too often", job_id)
            EXHAUSTED.inc()
        for kind in QUEUES:
            for version in range(1, self._waiting.rules.version + 1):
                self._announce_lost(kind, version)

    def _announce_lost(self, kind: JobKind, version: int) -> None:
        steps = QUEUES[kind]
        in_line = self._waiting.count_claimable(steps, version, self._window)
        missing = in_line - self._queue.waiting(kind, version)
        lost = self._waiting.announce_again(
            steps, version, announced_before=self._waiting.rules.clock() - GRACE_SECONDS, limit=missing
        )
        if lost:
            log.info("announcing %d lost %s steps again", len(lost), kind.value)
            ANNOUNCED_AGAIN.inc(len(lost))
            self._queue.announce(kind, lost, version)


def heal_for_ever(healer: Healer, every_seconds: float) -> None:
    """Start a thread that heals until the process ends."""

    def run() -> None:
        while True:
            time.sleep(every_seconds)
            try:
                healer.heal()
            except (RedisError, SQLAlchemyError, OSError) as error:
                log.warning("could not look for lost steps, will try again: %s", error)
            except Exception:
                # Without this thread nothing that is lost would ever come back, and nobody would notice.
                log.exception("could not look for lost steps, will try again")

    threading.Thread(target=run, name="healer", daemon=True).start()
