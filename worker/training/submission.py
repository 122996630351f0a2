"""Submits a training."""

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.input_spec import DIGIT
from tenfold.worker.datasets.datasets import check_usable
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission
from tenfold.worker.jobs.submission import Submission
from tenfold.worker.models.aliases import aliases_among
from tenfold.worker.models.ancestors import with_ancestor
from tenfold.worker.services import Services


def submit_training(services: Services, parameters: TrainingParameters, idempotency_key: str | None = None) -> Job:
    """Queue a training.

    Raises:
        InvalidSubmission: the data set or the model to start from does not exist or cannot be used, or the network does
            not fit the images.
        IdempotencyConflict: the key was used for another submission.
        QuotaExceeded: the owner's quota is used up.
    """
    submission = Submission.of(services, JobKind.TRAINING, parameters, idempotency_key)
    if existing := submission.earlier_job():
        return existing
    dataset, named = check_usable(services.volume, parameters.dataset), parameters.from_model
    parameters = with_ancestor(services, parameters, dataset).resolved()
    spec = dataset.input or DIGIT
    if parameters.from_model is None and (problem := parameters.plan().problem(len(dataset.class_names), spec)):
        raise InvalidSubmission("dataset", f"The data set {dataset.name} has {spec.size} images: {problem}.")
    aliases = aliases_among([named], [parameters.from_model]) if parameters.from_model else {}
    return submission.commit(submission.make_directory(), parameters, total=parameters.plan().epochs, aliases=aliases)
