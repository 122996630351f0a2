"""When a step can be claimed: the same rules for claiming, reconciling and counting."""

import time
from dataclasses import dataclass

from sqlalchemy import and_, or_
from sqlalchemy.sql.elements import ColumnElement

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.records import Step
from tenfold.worker.db.states import StepState
from tenfold.worker.versions import STEP_VERSION

# A lease that ends more than this many lease lengths from now was written before the clock was set back. It counts as
# expired: waiting for its end could take hours.
MAX_LEASES = 4


@dataclass(frozen=True)
class ClaimRules:
    """
    Args:
        lease_seconds: how long a claim holds without renewal.
        max_attempts: how many times a step may be claimed without being finished.
        clock: seconds since the epoch.
        version: of the steps that are written, and the latest that are read (`versions.py`).
    """

    lease_seconds: float
    max_attempts: int
    clock: Clock = time.time
    version: int = STEP_VERSION

    def is_over(self, lease_expires_at: float) -> bool:
        """Whether a lease with this end has expired, so that its step can be claimed."""
        now = self.clock()
        return not now <= lease_expires_at <= now + MAX_LEASES * self.lease_seconds

    def understood(self) -> ColumnElement[bool]:
        """The step is of a version that this process knows."""
        return Step.version <= self.version

    def claimable(self, now: float) -> ColumnElement[bool]:
        """Queued, or running under an expired lease."""
        return or_(Step.state == StepState.QUEUED, self.abandoned(now))

    def abandoned(self, now: float) -> ColumnElement[bool]:
        """Running under an expired lease."""
        longest = now + MAX_LEASES * self.lease_seconds
        over = or_(Step.lease_expires_at < now, Step.lease_expires_at > longest)
        return and_(Step.state == StepState.RUNNING, over)
