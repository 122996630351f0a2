"""Steps that wait: those that could be claimed, whose messages may be lost, or that used up their attempts."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import REQUEUED, Job, Step
from tenfold.worker.db.states import JobState, StepKind, StepState
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.transitions import end_job, lock_parent


class WaitingSteps:
    """The queries of the reconciler and of the one-shot worker. Every method is one query, or one transaction per job.

    Args:
        database: where the rows are.
        rules: of claiming.
    """

    def __init__(self, database: Database, rules: ClaimRules) -> None:
        self._database = database
        self.rules = rules

    def fail_exhausted(self) -> Sequence[str]:
        """Fail the jobs with a step that used up its `max_attempts`; return their ids."""
        now = self.rules.clock()
        tried = select(Step).where(Step.attempts >= self.rules.max_attempts, self.rules.understood())
        with self._database.read() as session:
            steps = [
                *session.scalars(tried.where(REQUEUED)),
                *session.scalars(tried.where(self.rules.abandoned(now))),
            ]
        still = tried.where(self.rules.claimable(now))
        return [step.job_id for step in steps if self._fail_if(step, still.where(Step.id == step.id))]

    def reannounce(
        self, kinds: Sequence[StepKind], version: int, *, announced_before: float, limit: int
    ) -> Sequence[int]:
        """Steps of a version that could be claimed and whose message may be lost: at most `limit`, those whose last
        announcement is the oldest first.

        They are marked as announced now, so that two reconcilers do not announce the same step.
        """
        if limit <= 0:
            return []
        now = self.rules.clock()
        unannounced = or_(Step.announced_at < announced_before, Step.announced_at > now)
        due = and_(Step.version == version, unannounced, self.rules.claimable(now))
        with self._database.read() as session:
            candidates = _longest_unannounced(session, kinds, due, limit)
        if not candidates:
            return []
        with self._database.write() as session:
            # Skip steps that another transaction has locked: waiting for several could deadlock.
            still_due = select(Step.id).where(Step.id.in_(candidates), due).with_for_update(skip_locked=True)
            marked = set(session.scalars(still_due))
            session.execute(update(Step).where(Step.id.in_(marked)).values(announced_at=now))
        return [step_id for step_id in candidates if step_id in marked]

    def claimable(self, kinds: Sequence[StepKind], *, job_id: str | None = None, at_most: int) -> Sequence[int]:
        """The ids of steps of these kinds that could be claimed now, the oldest first.

        Args:
            job_id: only those of this job.
        """
        query = select(Step.id).where(
            Step.kind.in_(kinds), self.rules.understood(), self.rules.claimable(self.rules.clock())
        )
        if job_id is not None:
            query = query.where(Step.job_id == job_id)
        with self._database.read() as session:
            return session.scalars(query.order_by(Step.id).limit(at_most)).all()

    def count_claimable(self, kinds: Sequence[StepKind], version: int, at_most: int) -> int:
        """How many steps of these kinds and this version could be claimed now, counted up to `at_most`."""
        query = select(Step.id).where(
            Step.kind.in_(kinds), Step.version == version, self.rules.claimable(self.rules.clock())
        )
        with self._database.read() as session:
            return len(session.scalars(query.limit(at_most)).all())

    def _fail_if(self, step: Step, still_exhausted: Select[Step]) -> bool:
        reason = (
            f"The {step.kind.value} step was tried {step.attempts} times, and each time its worker died or had an "
            f"error (the last was {step.worker}). See the job's log, fix the cause, then retry the job."
        )
        with self._database.write() as session:
            lock_parent(session, step.job_id)
            session.execute(select(Job.id).where(Job.id == step.job_id).with_for_update())
            if session.scalar(still_exhausted) is None:
                return False
            return end_job(session, step.job_id, JobState.FAILED, self.rules.clock(), error=reason)


def _longest_unannounced(
    session: Session, kinds: Sequence[StepKind], due: ColumnElement[bool], limit: int
) -> list[int]:
    """One query per kind and state, so that each reads a short range of the index, however long the queue is."""
    found: list[tuple[float, int]] = []
    for kind in kinds:
        for state in (StepState.QUEUED, StepState.RUNNING):
            query = select(Step.announced_at, Step.id).where(Step.state == state, Step.kind == kind, due)
            rows = session.execute(query.order_by(Step.announced_at, Step.id).limit(limit))
            found += [(at or 0, step_id) for at, step_id in rows]
    return [step_id for _, step_id in sorted(found)[:limit]]
