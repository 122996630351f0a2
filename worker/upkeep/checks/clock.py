"""Whether two hosts agree on the time: leases expire by it."""

from worker.upkeep.checks.finding import Finding, fail, ok, warn

# Of a lease of 15 seconds that is renewed every 5.
WARN_SECONDS = 1.0
FAIL_SECONDS = 5.0


def compare(check: str, theirs: float, before: float, after: float) -> Finding:
    """Their time, asked for between two moments here: what the question took is no difference."""
    difference = max(before - theirs, theirs - after, 0.0)
    said = f"differs by {difference:.1f} s" if difference >= 0.1 else "agrees"
    remedy = "Let all hosts keep time by NTP (chrony, systemd-timesyncd): leases expire by the hosts' clocks."
    if difference >= FAIL_SECONDS:
        return fail(check, said, remedy)
    return warn(check, said, remedy) if difference >= WARN_SECONDS else ok(check, said)
