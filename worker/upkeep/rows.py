"""The few columns of all jobs that upkeep looks at, read once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from worker.database import Database
from worker.errors import OfLaterVersion
from worker.jobs import KNOWN_KIND
from worker.records import Job, Model
from worker.states import JobKind, JobState


@dataclass(frozen=True)
class JobRow:
    id: str
    parent_id: str | None
    kind: JobKind
    state: JobState
    finished_at: float | None
    parameters: dict[str, Any]


def read_jobs(database: Database) -> dict[str, JobRow]:
    """All jobs by id, the newest first.

    Raises:
        OfLaterVersion: there are some of a kind that this version does not know, and so cannot judge.
    """
    columns = (Job.id, Job.parent_id, Job.kind, Job.state, Job.finished_at, Job.parameters)
    with database.read() as session:
        if session.scalar(select(Job.id).where(~KNOWN_KIND).limit(1)) is not None:
            raise OfLaterVersion(
                "There are jobs of a kind that only a later version of Tenfold knows; use that version."
            )
        return {row.id: JobRow(*row) for row in session.execute(select(*columns).order_by(Job.id.desc()))}


def read_models(database: Database) -> dict[str, Model]:
    """All models by id."""
    with database.read() as session:
        return {model.id: model for model in session.scalars(select(Model).order_by(Model.id))}
