"""Reads what a comparison found. Standard library only: the web reads it."""

from collections.abc import Sequence

from tenfold.worker.comparisons.differences import FILE, Differences
from tenfold.worker.db.records import Job
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission, WrongState
from tenfold.worker.jobs.finished import succeeded
from tenfold.worker.services import Services


def open_differences(services: Services, job_id: str) -> Differences:
    """The images on which the models differ; close it.

    Raises:
        UnknownJob: there is no job with this id.
        WrongState: it is no comparison, has not succeeded, or its file is missing.
    """
    succeeded(services, job_id, JobKind.COMPARISON)
    directory = services.volume.job(job_id)
    services.volume.storage.fetch(directory / FILE)
    try:
        return Differences(directory)
    except FileNotFoundError as error:
        raise WrongState(f"The file {FILE} of job {job_id} is missing. Compare the models again.") from error


def places_of(job: Job, field: str, names: Sequence[str]) -> list[int]:
    """The places of models in a comparison, from 0, by their letters (`A`) or ids.

    Raises:
        InvalidSubmission: the comparison has no such model.
    """
    models = (job.summary or {})["models"]
    places = {model[key]: place for place, model in enumerate(models) for key in ("name", "model")}
    if unknown := [name for name in names if name not in places]:
        known = ", ".join(f"{model['name']} ({model['model']})" for model in models)
        raise InvalidSubmission(field, f"The comparison has no model {unknown[0][:64]!r}; it has: {known}.")
    return [places[name] for name in names]
