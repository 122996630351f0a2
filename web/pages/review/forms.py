"""The progress of a review as the page of its classification shows it, and the form that merges the corrections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from tenfold.web.core.forms import Choice, FormField, form_fields
from tenfold.web.core.services import services
from tenfold.worker.datasets.datasets import list_datasets, why_name_is_taken
from tenfold.worker.db.records import Job
from tenfold.worker.errors import UnknownModel, WrongState
from tenfold.worker.review import reviews
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.reviews import Counts


@dataclass(frozen=True)
class Review:
    """The progress of a review, and the fields of the form that merges its corrections."""

    job_id: str
    counts: Counts
    fields: Sequence[FormField]


def review_of(job: Job) -> Review | None:
    """The review of a classification; None for a job without one."""
    try:
        with reviews.open_queue(services(), job.id) as queue:
            return Review(job.id, reviews.count(services(), job.id, queue), merge_form(job, {}))
    except WrongState:
        return None


def merge_form(job: Job, values: Mapping[str, str], errors: Sequence[Mapping[str, str]] = ()) -> Sequence[FormField]:
    """The fields of `ReviewParameters`. The defaults are a free name and the data set that the model was trained on.

    Args:
        values: what the user entered; empty for a new form.
    """
    known = reviews.class_names(services(), job)
    usable = [entry.name for entry in list_datasets(services().volume) if entry.usable and entry.class_names == known]
    trained_on = _trained_on(job)
    suggested = {"dataset": _free_name(), "together_with": trained_on if trained_on in usable else ""}
    choices = [Choice("", "None: corrected images only"), *(Choice(name, name) for name in usable)]
    fields = form_fields(
        ReviewParameters, choices={"together_with": choices}, values=values or suggested, errors=errors
    )
    return [field for field in fields if field.name != "classification"]


def _trained_on(job: Job) -> str | None:
    """The data set of the classification's model; None if the model was deleted."""
    try:
        return services().models.get(job.parameters["model"][0]).dataset
    except UnknownModel:
        return None


def _free_name() -> str:
    today = f"corrections-{datetime.fromtimestamp(services().clock(), UTC).date()}"
    names = (today if number == 1 else f"{today}-{number}" for number in count(1))
    return next(name for name in names if why_name_is_taken(services(), name) is None)
