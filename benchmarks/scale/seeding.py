"""Rows in bulk: jobs that wait in line beside what is measured, and shards to be claimed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job, Step, User
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind, JobState, StepKind, StepState
from tenfold.worker.jobs.submission import new_id

PARAMETERS = ClassificationParameters(model=(new_id(),)).model_dump(mode="json")
SOURCE = {"name": "scans.zip", "bytes": 2**20, "sha256": "0" * 64}

# Of rows in one statement, so that none grows without bound.
BATCH = 10_000


def add_waiting_jobs(database: Database, count: int) -> None:
    """Jobs that nobody has claimed, each with its first step in line."""
    for start in range(0, count, BATCH):
        ids = [new_id() for _ in range(min(BATCH, count - start))]
        with database.write() as session:
            session.execute(insert(Job), [_job(job_id, JobState.QUEUED) for job_id in ids])
            session.execute(insert(Step), [_step(job_id, StepKind.PLAN) for job_id in ids])


def add_shards(database: Database, jobs: int, shards_each: int) -> Sequence[int]:
    """Running jobs whose shards are all in line; return the ids of these steps."""
    ids = [new_id() for _ in range(jobs)]
    with database.write() as session:
        session.execute(insert(Job), [_job(job_id, JobState.RUNNING) for job_id in ids])
        merges = [_step(job_id, StepKind.MERGE, state=StepState.WAITING) for job_id in ids]
        shards = [_step(job_id, StepKind.SHARD, place) for place in range(shards_each) for job_id in ids]
        session.execute(insert(Step), shards + merges)
        return _shards_of(session, ids)


def requeue(database: Database, step_ids: Sequence[int]) -> None:
    """As if nobody had claimed them."""
    with database.write() as session:
        session.execute(
            update(Step)
            .where(Step.id.between(step_ids[0], step_ids[-1]), Step.kind == StepKind.SHARD)
            .values(state=StepState.QUEUED, attempts=0, lease_token=None, lease_expires_at=None, output=None)
        )


def share_among_people(database: Database, people: int) -> None:
    """Give all jobs that belong to nobody to so many new people, by turns of ten thousand."""
    names = [f"person-{number}" for number in range(people)]
    person = {"password_hash": "-", "session_stamp": "-", "scope": Scope.SUBMIT, "created_at": 0.0, "served_at": 0.0}
    with database.write() as session:
        session.execute(insert(User), [person | {"name": name} for name in names])
        ids = session.scalars(select(Job.id).where(Job.owner.is_(None)).order_by(Job.id)).all()
        each = max(1, len(ids) // people)
        for name, start in zip(names, range(0, len(ids), each), strict=False):
            last = ids[min(start + each, len(ids)) - 1]
            session.execute(update(Job).where(Job.id.between(ids[start], last)).values(owner=name))


def _shards_of(session: Session, job_ids: Sequence[str]) -> Sequence[int]:
    within = Job.id.between(min(job_ids), max(job_ids))
    return session.scalars(select(Step.id).join(Job).where(within, Step.kind == StepKind.SHARD).order_by(Step.id)).all()


def _job(job_id: str, state: JobState) -> dict[str, Any]:
    return {
        "id": job_id,
        "kind": JobKind.CLASSIFICATION,
        "state": state,
        "parameters": PARAMETERS,
        "source": SOURCE,
        "fingerprint": "0" * 64,
        "created_at": 0.0,
        "total": 10_000,
        "bytes": SOURCE["bytes"],
        "detail": {},
    }


def _step(job_id: str, kind: StepKind, position: int = 0, state: StepState = StepState.QUEUED) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "kind": kind,
        "position": position,
        "state": state,
        "input": {"start": 0, "stop": 5000},
        "announced_at": 0.0,
    }
