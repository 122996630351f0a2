"""Submits the import of a data set."""

from tenfold.worker.datasets.datasets import why_name_is_taken
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.jobs.submission import Submission, new_id
from tenfold.worker.services import Services
from tenfold.worker.uploads.upload import Upload


def submit_import(
    services: Services, parameters: ImportParameters, upload: Upload, idempotency_key: str | None = None
) -> Job:
    """Queue the import of an uploaded data set. The upload is moved to the job, or removed.

    Raises:
        InvalidSubmission: the name is taken.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    try:
        submission = Submission.of(services, JobKind.IMPORT, parameters, idempotency_key, upload.sha256)
        # Before `earlier_job`: a repetition that runs at the same time takes the name too, and is then found.
        taken = why_name_is_taken(services, parameters.name)
        if existing := submission.earlier_job():
            return existing
        if taken:
            raise InvalidSubmission("name", taken)
        job_id = new_id()
        upload.move(services.volume.upload(job_id), services.volume.storage)
    finally:
        upload.path.unlink(missing_ok=True)
    return submission.commit(job_id, parameters, total=1, source=upload.source)
