"""The store of corrections: what people say that the doubtful images of a classification show.

A correction that repeats the answer is a confirmation, and is kept as well.
"""

import time
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from worker.clock import Clock
from worker.database import Database, rows_changed
from worker.errors import UnknownJob
from worker.records import Correction

# How files say that an image shows none of the classes, where rows and SQL have null.
NONE_OF_THESE = "(none)"


class CorrectionStore:
    """Corrections in the database. Every method is one transaction, and of two corrections of one row the later counts.

    Args:
        database: where the rows are.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    def put(self, job_id: str, row: int, name: str, label: str | None) -> Correction:
        """Say what the image in this row shows, instead of whatever was said before.

        Args:
            name: the image's, as the results have it.
            label: one of the classes, or None where it shows none of them.

        Raises:
            UnknownJob: the job has been deleted.
        """
        correction = Correction(job_id=job_id, row=row, name=name, label=label, corrected_at=self._clock())
        if self._replace(correction):
            return correction
        try:
            with self._database.write() as session:
                session.add(correction)
        except IntegrityError:  # someone else was first to correct this row, or has deleted the job
            correction = Correction(job_id=job_id, row=row, name=name, label=label, corrected_at=self._clock())
            if not self._replace(correction):
                raise UnknownJob(f"There is no job {job_id!r} any more.") from None
        return correction

    def clear(self, job_id: str, row: int) -> None:
        """Forget what was said of this row, if anything."""
        with self._database.write() as session:
            session.execute(delete(Correction).where(Correction.job_id == job_id, Correction.row == row))

    def get(self, job_id: str, row: int) -> Correction | None:
        """What was said of this row, if anything."""
        query = select(Correction).where(Correction.job_id == job_id, Correction.row == row)
        with self._database.read() as session:
            return session.scalars(query).one_or_none()

    def list(self, job_id: str) -> Sequence[Correction]:
        """All of a classification, by row."""
        query = select(Correction).where(Correction.job_id == job_id).order_by(Correction.row)
        with self._database.read() as session:
            return session.scalars(query).all()

    def count(self, job_id: str) -> int:
        query = select(func.count()).select_from(Correction).where(Correction.job_id == job_id)
        with self._database.read() as session:
            return session.scalars(query).one()

    def _replace(self, correction: Correction) -> bool:
        with self._database.write() as session:
            return bool(
                rows_changed(
                    session,
                    update(Correction)
                    .where(Correction.job_id == correction.job_id, Correction.row == correction.row)
                    .values(name=correction.name, label=correction.label, corrected_at=correction.corrected_at),
                )
            )
