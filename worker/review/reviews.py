"""Reads a classification's review queue, and records corrections."""

import json
from dataclasses import dataclass

from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.classification.review_queue.queue import Item, ReviewQueue
from tenfold.worker.datasets.datasets import check_usable, get_dataset
from tenfold.worker.db.records import Correction, Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission, UnknownJob, UnknownModel, UnknownRow, WrongState
from tenfold.worker.jobs.finished import succeeded
from tenfold.worker.models.preparing import prepared_as
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.services import Services

# Class names listed in an error.
MAX_NAMED = 40


@dataclass(frozen=True)
class Counts:
    """Progress of a review: all items, and those corrected or confirmed."""

    total: int
    corrected: int

    @property
    def open(self) -> int:
        return self.total - self.corrected


def reviewable(services: Services, job_id: str) -> Job:
    """The job, if it can be reviewed.

    Raises:
        UnknownJob: there is no job with this id.
        WrongState: it is not a classification, or has not succeeded.
    """
    return succeeded(services, job_id, JobKind.CLASSIFICATION)


def open_queue(services: Services, job_id: str) -> ReviewQueue:
    """The review queue of a classification; close it.

    Raises:
        UnknownJob, WrongState: as `reviewable`.
    """
    reviewable(services, job_id)
    try:
        return ReviewQueue(services.volume.storage.fetch(services.volume.review(job_id)))
    except FileNotFoundError as error:
        raise WrongState(
            f"Job {job_id} has no review: a version of Tenfold without reviews made it. Classify the images again."
        ) from error


def class_names(services: Services, job: Job) -> tuple[str, ...]:
    """The classes of a classification; from its summary if the model has been deleted."""
    try:
        return services.models.get(job.parameters["model"][0]).class_names
    except UnknownModel:
        with services.volume.storage.open(services.volume.job(job.id) / "summary.json") as file:
            return tuple(json.load(file)["class_names"])


def count(services: Services, job_id: str, queue: ReviewQueue) -> Counts:
    return Counts(len(queue), services.corrections.count(job_id))


def find_item(queue: ReviewQueue, job_id: str, row: int) -> Item:
    """The item of this row.

    Raises:
        UnknownRow: the review has no such row.
    """
    item = queue.find(row)
    if item is None:
        raise UnknownRow(
            f"The review of job {job_id} has no row {row}: the answer was accepted, has an error, or does not exist."
        )
    return item


def list_items(
    queue: ReviewQueue, start: int, limit: int, besides: frozenset[int] = frozenset()
) -> tuple[list[Item], int | None]:
    """Up to `limit` items from this rank on, and the next rank, or None at the end.

    Args:
        besides: rows to skip.
    """
    found: list[Item] = []
    while page := queue.page(start, limit + 1):
        found += [item for item in page if item.row not in besides]
        if len(found) > limit:
            return found[:limit], found[limit].rank
        start = page[-1].rank + 1
    return found, None


def correct(services: Services, job_id: str, row: int, label: str | None) -> tuple[Item, Correction]:
    """Set the label of the image in this row: one of the classes, or None for none of them.

    Raises:
        UnknownJob, WrongState: as `reviewable`.
        UnknownRow: the review has no such row.
        InvalidSubmission: the model has no such class.
    """
    with open_queue(services, job_id) as queue:
        item = find_item(queue, job_id, row)
    known = class_names(services, services.jobs.get(job_id))
    if label is not None and label not in known:
        listed = ", ".join(known[:MAX_NAMED]) + (f" and {len(known) - MAX_NAMED} more" if known[MAX_NAMED:] else "")
        raise InvalidSubmission(
            "label", f"The model has no class {label[:64]!r}; its classes are: {listed}. Use null for none of these."
        )
    return item, services.corrections.put(job_id, row, item.name, label)


def clear(services: Services, job_id: str, row: int) -> Item:
    """Remove the correction of this row, if there is one.

    Raises:
        UnknownJob, WrongState: as `reviewable`.
        UnknownRow: the review has no such row.
    """
    with open_queue(services, job_id) as queue:
        item = find_item(queue, job_id, row)
    services.corrections.clear(job_id, row)
    return item


def check_mergeable(services: Services, parameters: ReviewParameters) -> int:
    """The number of corrections to merge.

    Raises:
        InvalidSubmission: there is no such classification, it was not reviewed, another job merges its corrections now,
            or `together_with` cannot be used.
    """
    job_id = parameters.classification
    try:
        job = reviewable(services, job_id)
    except (UnknownJob, WrongState) as error:
        raise InvalidSubmission("classification", str(error)) from error
    corrected = services.corrections.count(job_id)
    if not corrected:
        raise InvalidSubmission("classification", "No answers have been corrected or confirmed yet.")
    merging = [
        other.id for other in services.jobs.unfinished(JobKind.REVIEW) if other.parameters["classification"] == job_id
    ]
    if merging:
        raise InvalidSubmission(
            "classification", f"Job {merging[0]} is merging its corrections; wait until it has finished."
        )
    if parameters.together_with is not None:
        _check_base(services, parameters, class_names(services, job), prepared_as(job).images)
    return corrected


def differing_input(dataset: str, theirs: InputSpec, ours: InputSpec) -> str:
    """Why corrected images can't be put together with a data set's."""
    return (
        f"The images of the data set {dataset} are {theirs.size} with preprocessing {theirs.preprocessing}, the "
        f"corrected ones {ours.size} with {ours.preprocessing}: a model trained on both would be right on neither. "
        "Choose a data set with the same input, or classify again with a model trained on this one."
    )


def _check_base(services: Services, parameters: ReviewParameters, known: tuple[str, ...], spec: InputSpec) -> None:
    name = parameters.together_with or ""
    if parameters.dataset is None:
        raise InvalidSubmission(
            "dataset", f"Name the new data set that gets the images of {name} and the corrected ones."
        )
    try:
        check_usable(services.volume, name)
    except InvalidSubmission as error:
        raise InvalidSubmission("together_with", str(error)) from error
    entry = get_dataset(services.volume, name)
    if entry.input is not None and entry.input.images != spec:
        raise InvalidSubmission("together_with", differing_input(name, entry.input, spec))
    if entry.class_names != known:
        raise InvalidSubmission(
            "together_with",
            f"The data set {name} has different classes from the model. Choose one with the same classes.",
        )
