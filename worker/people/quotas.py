"""Limits each user's unfinished jobs and bytes on the volume. Jobs without an owner are not counted."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tenfold.worker.db.records import Job, User
from tenfold.worker.db.states import UNFINISHED
from tenfold.worker.errors import QuotaExceeded


@dataclass(frozen=True)
class Quota:
    """Limits for one user; None is unlimited. A user's own row takes precedence."""

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
    """Current usage of one user. A sweep counts as one job; `bytes` are the files of all their jobs."""

    jobs: int
    bytes: int


def usage(session: Session, owner: str) -> Usage:
    return Usage(_unfinished_jobs(session, owner), _bytes(session, owner))


def check_quota(session: Session, owner: str | None, quota: Quota, *, new_jobs: int = 1, new_bytes: int = 0) -> None:
    """Refuse a submission that exceeds the owner's quota. Concurrent submissions are checked one after the other.

    Raises:
        QuotaExceeded: with the quota, its usage, and what to do.
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
            f"You have {jobs:,} unfinished jobs; your quota is {quota.max_jobs:,}. Wait until some have finished, "
            "cancel some, or ask an administrator for a larger quota."
        )
    # Summed only if there is a limit: it reads all jobs of the user.
    if new_bytes and quota.max_bytes is not None and (held := _bytes(session, user.name)) + new_bytes > quota.max_bytes:
        raise QuotaExceeded(
            f"Your jobs use {held:,} bytes and this one needs {new_bytes:,}; your quota is {quota.max_bytes:,}. Delete "
            "jobs that you no longer need, or ask an administrator for a larger quota."
        )


def _unfinished_jobs(session: Session, owner: str) -> int:
    query = select(func.count()).where(Job.owner == owner, Job.state.in_(UNFINISHED), Job.parent_id.is_(None))
    return session.scalars(query).one()


def _bytes(session: Session, owner: str) -> int:
    query = select(func.coalesce(func.sum(Job.bytes), 0)).where(Job.owner == owner)
    return int(session.scalars(query).one())
