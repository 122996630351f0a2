"""Submits a review: the merging of corrections."""

from tenfold.worker.datasets.datasets import why_name_is_taken
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.jobs.submission import Submission
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.reviews import check_mergeable
from tenfold.worker.services import Services


def submit_review(services: Services, parameters: ReviewParameters, idempotency_key: str | None = None) -> Job:
    """Queue the merging of a classification's corrections into its results, and into a new data set if one is named.

    Raises:
        InvalidSubmission: the classification does not exist or has no corrections, the data set's name is taken, or
            `together_with` is not a data set with the same classes.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    submission = Submission.of(services, JobKind.REVIEW, parameters, idempotency_key)
    # Before `earlier_job`: a repetition that runs at the same time takes the name too, and is then found.
    taken = why_name_is_taken(services, parameters.dataset) if parameters.dataset else None
    if existing := submission.earlier_job():
        return existing
    corrected = check_mergeable(services, parameters)
    if taken:
        raise InvalidSubmission("dataset", taken)
    return submission.commit(submission.make_directory(), parameters, total=corrected)
