"""Steps that wait: those that could be claimed, whose messages may be lost, or that were tried too often."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from worker.claim_rules import ClaimRules
from worker.database import Database
from worker.jobs import end_job, lock_parent
from worker.records import IN_LINE_AGAIN, Job, Step
from worker.states import JobState, StepKind, StepState


class WaitingSteps:
    """What the healer looks for, and a worker of one job. Every method is one look, or one transaction a job.

    Args:
        database: where the rows are.
        rules: of claiming.
    """

    def __init__(self, database: Database, rules: ClaimRules) -> None:
        self._database = database
        self.rules = rules

    def fail_exhausted(self) -> Sequence[str]:
        """Fail the jobs of which a step was tried `max_attempts` times in vain; return their ids."""
        now = self.rules.clock()
        tried = select(Step).where(Step.attempts >= self.rules.max_attempts, self.rules.understood())
        with self._database.read() as session:
            steps = [
                *session.scalars(tried.where(IN_LINE_AGAIN)),
                *session.scalars(tried.where(self.rules.given_up(now))),
            ]
        still = tried.where(self.rules.claimable(now))
        return [step.job_id for step in steps if self._fail_if(step, still.where(Step.id == step.id))]

    def announce_again(
        self, kinds: Sequence[StepKind], version: int, *, announced_before: float, limit: int
    ) -> Sequence[int]:
        """Steps of a version that could be claimed and whose message may be lost: at most `limit`, the longest
        unannounced first.

        They are marked as announced now, so that two healers do not announce the same step.
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
            # Steps that another transaction changes just now are left to it: waiting for several could be mutual.
            still_due = select(Step.id).where(Step.id.in_(candidates), due).with_for_update(skip_locked=True)
            marked = set(session.scalars(still_due))
            session.execute(update(Step).where(Step.id.in_(marked)).values(announced_at=now))
        return [step_id for step_id in candidates if step_id in marked]

    def claimable(self, kinds: Sequence[StepKind], *, job_id: str | None = None, at_most: int) -> Sequence[int]:
        """The ids of steps of these kinds that could be claimed now, the longest in line first.

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
            f"The {step.kind.value} step was tried {step.attempts} times, and each time its worker died or met an "
            f"error (the last was {step.worker}). See the job's log, and retry the job when the cause is gone."
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
    """A query for each kind and state, so that each is a short walk along the index, however many are in line."""
    found: list[tuple[float, int]] = []
    for kind in kinds:
        for state in (StepState.QUEUED, StepState.RUNNING):
            query = select(Step.announced_at, Step.id).where(Step.state == state, Step.kind == kind, due)
            rows = session.execute(query.order_by(Step.announced_at, Step.id).limit(limit))
            found += [(at or 0, step_id) for at, step_id in rows]
    return [step_id for _, step_id in sorted(found)[:limit]]
