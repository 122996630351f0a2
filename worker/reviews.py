"""What people do with a classification's review queue: look at it, and say what its images show."""

import json
from dataclasses import dataclass

from trainer.input_spec import InputSpec
from worker.datasets import check_usable, get_dataset
from worker.errors import InvalidSubmission, UnknownJob, UnknownModel, UnknownRow, WrongState
from worker.parameters import ReviewParameters
from worker.preparing import prepared_as
from worker.records import Correction, Job
from worker.review_queue import Item, ReviewQueue
from worker.services import Services
from worker.states import JobKind, JobState

# How many class names an error lists.
MOST_NAMED = 40


@dataclass(frozen=True)
class Counts:
    """How far a review is. `total` is what there is to review; `corrected` counts confirmations too."""

    total: int
    corrected: int

    @property
    def open(self) -> int:
        return self.total - self.corrected


def reviewable(services: Services, job_id: str) -> Job:
    """The job, where it is one that can be reviewed.

    Raises:
        UnknownJob: there is none with this id.
        WrongState: it is no classification, has not succeeded, or was made before there were reviews.
    """
    job = services.jobs.get(job_id)
    if job.kind is not JobKind.CLASSIFICATION:
        raise WrongState(f"Job {job_id} is a {job.kind.value}; only a classification's answers can be reviewed.")
    if job.state is not JobState.SUCCEEDED:
        hint = "" if job.state.final else " Wait for it to end."
        raise WrongState(f"Job {job_id} is {job.state.value}; only finished answers can be reviewed.{hint}")
    return job


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
            f"Job {job_id} has no review: it was made by a version of Tenfold that kept none. Classify the images "
            "again."
        ) from error


def class_names(services: Services, job: Job) -> tuple[str, ...]:
    """What a classification's answers are taken from; its summary tells it once its model has been deleted."""
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
        UnknownRow: the review has none.
    """
    item = queue.find(row)
    if item is None:
        raise UnknownRow(
            f"The review of job {job_id} has no row {row}: it was accepted, has an error, or is not there."
        )
    return item


def list_items(
    queue: ReviewQueue, start: int, limit: int, besides: frozenset[int] = frozenset()
) -> tuple[list[Item], int | None]:
    """Up to `limit` items from this place on, and the place to go on from, or None at the end.

    Args:
        besides: rows to leave out.
    """
    found: list[Item] = []
    while page := queue.page(start, limit + 1):
        found += [item for item in page if item.row not in besides]
        if len(found) > limit:
            return found[:limit], found[limit].place
        start = page[-1].place + 1
    return found, None


def correct(services: Services, job_id: str, row: int, label: str | None) -> tuple[Item, Correction]:
    """Say what the image in this row shows: one of the classes, or None for none of them.

    Raises:
        UnknownJob, WrongState: as `reviewable`.
        UnknownRow: the review has no such row.
        InvalidSubmission: the model knows no such class.
    """
    with open_queue(services, job_id) as queue:
        item = find_item(queue, job_id, row)
    known = class_names(services, services.jobs.get(job_id))
    if label is not None and label not in known:
        listed = ", ".join(known[:MOST_NAMED]) + (f" and {len(known) - MOST_NAMED} more" if known[MOST_NAMED:] else "")
        raise InvalidSubmission(
            "label", f"The model knows no class {label[:64]!r}; its classes are: {listed}. Give null for none of these."
        )
    return item, services.corrections.put(job_id, row, item.name, label)


def clear(services: Services, job_id: str, row: int) -> Item:
    """Forget what was said of this row, if anything.

    Raises:
        UnknownJob, WrongState: as `reviewable`.
        UnknownRow: the review has no such row.
    """
    with open_queue(services, job_id) as queue:
        item = find_item(queue, job_id, row)
    services.corrections.clear(job_id, row)
    return item


def check_mergeable(services: Services, parameters: ReviewParameters) -> int:
    """How many corrections there are to merge.

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
        raise InvalidSubmission("classification", "None of its answers has been corrected or confirmed yet.")
    merging = [
        other.id for other in services.jobs.unfinished(JobKind.REVIEW) if other.parameters["classification"] == job_id
    ]
    if merging:
        raise InvalidSubmission("classification", f"Job {merging[0]} is merging its corrections; wait for it to end.")
    if parameters.together_with is not None:
        _check_base(services, parameters, class_names(services, job), prepared_as(job))
    return corrected


def differing_input(dataset: str, theirs: InputSpec, ours: InputSpec) -> str:
    """Why corrected images can't be put together with a data set's."""
    return (
        f"The images of the data set {dataset} were made with preprocessing {theirs.preprocessing}, the corrected ones "
        f"with {ours.preprocessing}: a model trained on both would be right on neither. Choose a data set with the "
        "same preprocessing, or classify again with a model trained on this one."
    )


def _check_base(services: Services, parameters: ReviewParameters, known: tuple[str, ...], spec: InputSpec) -> None:
    name = parameters.together_with or ""
    if parameters.dataset is None:
        raise InvalidSubmission("dataset", f"Name the new data set that is to have {name}'s images and the corrected.")
    try:
        check_usable(services.volume, name)
    except InvalidSubmission as error:
        raise InvalidSubmission("together_with", str(error)) from error
    entry = get_dataset(services.volume, name)
    if entry.input is not None and entry.input != spec:
        raise InvalidSubmission("together_with", differing_input(name, entry.input, spec))
    if entry.class_names != known:
        raise InvalidSubmission(
            "together_with", f"The data set {name} has other classes than the model. Choose one with the same classes."
        )
