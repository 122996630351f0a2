"""Stores corrections of a classification's answers. One that repeats the answer is a confirmation."""

import time
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.database import Database, rows_changed
from tenfold.worker.db.records import Correction
from tenfold.worker.errors import UnknownJob

# In files, for an image that shows none of the classes; null in the database.
NONE_OF_THESE = "(none)"


class CorrectionStore:
    """Corrections in the database. Every method is one transaction; the last correction of a row is kept.

    Args:
        database: where the rows are.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    def put(self, job_id: str, row: int, name: str, label: str | None) -> Correction:
        """Set the label of the image in this row, replacing an earlier one.

        Args:
            name: the image's, as the results have it.
            label: one of the classes, or None for none of them.

        Raises:
            UnknownJob: the job has been deleted.
        """
        correction = Correction(job_id=job_id, row=row, name=name, label=label, corrected_at=self._clock())
        if self._replace(correction):
            return correction
        try:
            with self._database.write() as session:
                session.add(correction)
        except IntegrityError:  # a concurrent correction of this row, or the job was deleted
            correction = Correction(job_id=job_id, row=row, name=name, label=label, corrected_at=self._clock())
            if not self._replace(correction):
                raise UnknownJob(f"The job {job_id!r} has been deleted.") from None
        return correction

    def clear(self, job_id: str, row: int) -> None:
        """Remove the correction of this row, if there is one."""
        with self._database.write() as session:
            session.execute(delete(Correction).where(Correction.job_id == job_id, Correction.row == row))

    def get(self, job_id: str, row: int) -> Correction | None:
        """The correction of this row, if there is one."""
        query = select(Correction).where(Correction.job_id == job_id, Correction.row == row)
        with self._database.read() as session:
            return session.scalars(query).one_or_none()

    def list(self, job_id: str) -> Sequence[Correction]:
        """All corrections of a classification, by row."""
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
