"""Submits a sweep."""

from tenfold.worker.datasets.datasets import check_usable
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.submission import Submission
from tenfold.worker.models.aliases import aliases_among
from tenfold.worker.models.ancestors import with_ancestor
from tenfold.worker.services import Services
from tenfold.worker.sweeps.parameters import SweepParameters


def submit_sweep(services: Services, parameters: SweepParameters, idempotency_key: str | None = None) -> Job:
    """Queue a sweep. The worker that takes it queues its trials.

    Raises:
        InvalidSubmission: the data set or the model to start from does not exist or cannot be used.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    submission = Submission.of(services, JobKind.SWEEP, parameters, idempotency_key)
    if existing := submission.earlier_job():
        return existing
    dataset, named = check_usable(services.volume, parameters.dataset), parameters.from_model
    parameters = with_ancestor(services, parameters, dataset)
    aliases = aliases_among([named], [parameters.from_model]) if parameters.from_model else {}
    return submission.commit(submission.make_directory(), parameters, total=parameters.trial_count, aliases=aliases)
