"""Which steps can be claimed: conditions on their rows, the same for whoever claims, heals and counts."""

from dataclasses import dataclass

from sqlalchemy import and_, or_
from sqlalchemy.sql.elements import ColumnElement

from worker.records import Step
from worker.states import StepState

# A lease that ends later than so many of them from now was written before the clock was set back. Nobody can tell
# whether its holder lives, and waiting for its end could take hours.
LONGEST_LEASES = 4


@dataclass(frozen=True)
class Claimable:
    """
    Args:
        version: the latest of the steps that are seen at all (`versions.py`).
        lease_seconds: how long a claim holds without renewal.
    """

    version: int
    lease_seconds: float

    @property
    def longest_seconds(self) -> float:
        """No lease ends later from now than this."""
        return LONGEST_LEASES * self.lease_seconds

    def understood(self) -> ColumnElement[bool]:
        return Step.version <= self.version

    def at(self, now: float) -> ColumnElement[bool]:
        """Queued, or given up. `now` is in seconds since the epoch."""
        return or_(Step.state == StepState.QUEUED, self.given_up(now))

    def given_up(self, now: float) -> ColumnElement[bool]:
        """Running, as far as the row tells, under a lease that is over."""
        over = or_(Step.lease_expires_at < now, Step.lease_expires_at > now + self.longest_seconds)
        return and_(Step.state == StepState.RUNNING, over)
