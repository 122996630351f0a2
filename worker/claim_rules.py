"""When a step can be claimed: the same rules for whoever claims, heals and counts."""

import time
from dataclasses import dataclass

from sqlalchemy import and_, or_
from sqlalchemy.sql.elements import ColumnElement

from worker.clock import Clock
from worker.records import Step
from worker.states import StepState
from worker.versions import STEP_VERSION

# A lease that ends later than so many of them from now was written before the clock was set back. Nobody can tell
# whether its holder lives, and waiting for its end could take hours.
LONGEST_LEASES = 4


@dataclass(frozen=True)
class ClaimRules:
    """
    Args:
        lease_seconds: how long a claim holds without renewal.
        max_attempts: how often a step may be claimed without being finished.
        clock: seconds since the epoch.
        version: of the steps that are written, and the latest of those that are seen at all (`versions.py`).
    """

    lease_seconds: float
    max_attempts: int
    clock: Clock = time.time
    version: int = STEP_VERSION

    def is_over(self, lease_expires_at: float) -> bool:
        """Whether a lease with this end counts no longer, so that its step can be claimed."""
        now = self.clock()
        return not now <= lease_expires_at <= now + LONGEST_LEASES * self.lease_seconds

    def understood(self) -> ColumnElement[bool]:
        """Of a version that this process knows."""
        return Step.version <= self.version

    def claimable(self, now: float) -> ColumnElement[bool]:
        """Queued, or given up."""
        return or_(Step.state == StepState.QUEUED, self.given_up(now))

    def given_up(self, now: float) -> ColumnElement[bool]:
        """Running, as far as the row tells, under a lease that is over."""
        longest = now + LONGEST_LEASES * self.lease_seconds
        over = or_(Step.lease_expires_at < now, Step.lease_expires_at > longest)
        return and_(Step.state == StepState.RUNNING, over)
