"""What a check of `tenfold doctor` found, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

# Of a lease of 15 seconds that is renewed every 5.
CLOCK_WARN_SECONDS = 1.0
CLOCK_FAIL_SECONDS = 5.0


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """`remedy` is empty if the status is `OK`."""

    check: str
    status: Status
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    return Finding(check, Status.OK, message)


def warn(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, Status.WARN, message, remedy)


def fail(check: str, message: str, remedy: str) -> Finding:
    return Finding(check, Status.FAIL, message, remedy)


def compare_clocks(check: str, theirs: float, before: float, after: float) -> Finding:
    """Compare another host's clock with this one's. All times are seconds since the epoch.

    Args:
        theirs: the other clock, read at some moment between `before` and `after` of this one.
    """
    difference = max(before - theirs, theirs - after, 0.0)
    message = f"differs by {difference:.1f} s" if difference >= 0.1 else "in sync"
    remedy = "Synchronize the clocks of all hosts by NTP (chrony, systemd-timesyncd): leases depend on them."
    if difference >= CLOCK_FAIL_SECONDS:
        return fail(check, message, remedy)
    return warn(check, message, remedy) if difference >= CLOCK_WARN_SECONDS else ok(check, message)
