"""The comparison of models on the same images, as the page of comparisons offers it: the form, and earlier ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenfold.web.core.forms import Choice
from tenfold.web.core.services import services
from tenfold.web.pages.compare.runs import SUCCEEDED, Run
from tenfold.worker.datasets.datasets import list_datasets
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind, JobState

# The newest jobs of a kind that are looked through.
MAX_LOOKED_AT = 30


@dataclass(frozen=True)
class SameImages:
    """`models` are the selected runs that have a model; `choices` what they can be compared on; `earlier` comparisons
    of two or more of them."""

    models: Sequence[str]
    choices: Sequence[Choice]
    chosen: str
    earlier: Sequence[Job]


def offer_comparison(runs: Sequence[Run], chosen: str | None = None) -> SameImages | None:
    """None with fewer than two models.

    Args:
        chosen: what is selected in the form; default: the data set of the first model.
    """
    models = [run for run in runs if run.state == SUCCEEDED]
    if len(models) < 2:
        return None
    datasets = [
        Choice(entry.name, f"Test images of {entry.name}")
        for entry in list_datasets(services().volume)
        if entry.usable and entry.test
    ]
    choices = datasets + [
        Choice(job.id, f"Classification of {(job.source or {}).get('name', 'images')} ({job.id})") for job in _labeled()
    ]
    ids = [run.id for run in models]
    recent = services().jobs.list(kind=JobKind.COMPARISON, limit=MAX_LOOKED_AT)
    earlier = [job for job in recent if len(set(job.parameters["models"]) & set(ids)) > 1]
    return SameImages(ids, choices, chosen or models[0].dataset, earlier)


def _labeled() -> list[Job]:
    """The newest classifications with true labels or corrections."""
    recent = services().jobs.list(kind=JobKind.CLASSIFICATION, state=JobState.SUCCEEDED, limit=MAX_LOOKED_AT)
    return [job for job in recent if (job.summary or {}).get("labeled") or services().corrections.count(job.id)]
