"""How much one person may have at once: unfinished jobs, and bytes on the volume.

Jobs that belong to nobody, as all do before there are users, are not counted.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.errors import QuotaExceeded
from worker.records import Job, User
from worker.states import UNFINISHED


@dataclass(frozen=True)
class Quota:
    """The most that one person may have; None is no limit. A person's own row may say otherwise."""

    max_jobs: int | None = None
    max_bytes: int | None = None

    def of(self, user: User) -> "Quota":
        return Quota(
            self.max_jobs if user.max_jobs is None else user.max_jobs,
            self.max_bytes if user.max_bytes is None else user.max_bytes,
        )


UNLIMITED = Quota()


@dataclass(frozen=True)
class Usage:
    """What one person has now. A sweep counts as one job; the bytes are those of all their jobs' files."""

    jobs: int
    bytes: int


def usage(session: Session, owner: str) -> Usage:
    return Usage(_unfinished_jobs(session, owner), _bytes(session, owner))


def check_quota(session: Session, owner: str | None, quota: Quota, *, new_jobs: int = 1, new_bytes: int = 0) -> None:
    """Refuse what would be more than the owner may have. Of two submissions at once the second sees the first.

    Raises:
        QuotaExceeded: says which quota, how much of it is used, and what to do.
    """
    user = session.scalar(select(User).where(User.name == owner).with_for_update()) if owner else None
    if user is None:
        return
    quota = quota.of(user)
    if (
        new_jobs
        and quota.max_jobs is not None
        and (jobs := _unfinished_jobs(session, user.name)) + new_jobs > quota.max_jobs
    ):
        raise QuotaExceeded(
            f"You have {jobs:,} unfinished jobs, and may have {quota.max_jobs:,} at once. Wait for some to end or "
            "cancel some, or ask an administrator for more."
        )
    # The sum is over all that they ever submitted and kept, so it is made only where it matters.
    if new_bytes and quota.max_bytes is not None and (held := _bytes(session, user.name)) + new_bytes > quota.max_bytes:
        raise QuotaExceeded(
            f"Your jobs hold {held:,} bytes, this one would add {new_bytes:,}, and you may have "
            f"{quota.max_bytes:,}. Delete jobs that you no longer need, or ask an administrator for more."
        )


def _unfinished_jobs(session: Session, owner: str) -> int:
    query = select(func.count()).where(Job.owner == owner, Job.state.in_(UNFINISHED), Job.parent_id.is_(None))
    return session.scalars(query).one()


def _bytes(session: Session, owner: str) -> int:
    query = select(func.coalesce(func.sum(Job.bytes), 0)).where(Job.owner == owner)
    return int(session.scalars(query).one())
