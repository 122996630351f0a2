"""Submits a check of a data set."""

from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.datasets.datasets import check_usable
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.submission import Submission
from tenfold.worker.services import Services


def submit_check(services: Services, parameters: CheckParameters, idempotency_key: str | None = None) -> Job:
    """Queue a check of a data set's labels.

    Raises:
        InvalidSubmission: there is no such data set, or it is damaged.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    submission = Submission.of(services, JobKind.CHECK, parameters, idempotency_key)
    if existing := submission.earlier_job():
        return existing
    entry = check_usable(services.volume, parameters.dataset)
    return submission.commit(submission.make_directory(), parameters, total=entry.train + entry.test)
