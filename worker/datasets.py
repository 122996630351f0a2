"""The data sets on the volume, as people use them: list, look up, delete, and which names are free."""

import json
from collections.abc import Sequence

from trainer.catalogue import DatasetEntry, list_entries, read_entry
from trainer.errors import DatasetMissing
from trainer.known import KNOWN
from worker.errors import InvalidSubmission, UnknownDataset, WrongState
from worker.services import Services
from worker.states import JobKind
from worker.volume import Volume

# Beside a data set on the volume: which job made it, and of what.
SOURCE = "source.json"

USERS = (JobKind.SWEEP, JobKind.TRAINING, JobKind.REVIEW)


def list_datasets(volume: Volume) -> Sequence[DatasetEntry]:
    """All data sets, those that come with Tenfold first."""
    return list_entries(volume.catalogue())


def get_dataset(volume: Volume, name: str) -> DatasetEntry:
    """One data set.

    Raises:
        UnknownDataset: there is none of this name.
    """
    try:
        return read_entry(name, volume.catalogue())
    except DatasetMissing as error:
        raise UnknownDataset(str(error)) from error


def maker_of(volume: Volume, name: str) -> str | None:
    """The id of the job that made a data set; None for those that no job made."""
    try:
        made = json.loads((volume.catalogue() / name / SOURCE).read_bytes())
    except FileNotFoundError:
        return None
    return str(made["job"])


def delete_dataset(services: Services, name: str) -> None:
    """Remove a data set that someone uploaded. Models trained on it stay.

    Raises:
        UnknownDataset: there is none of this name.
        WrongState: it comes with Tenfold, or an unfinished training, sweep or review uses it.
    """
    entry = get_dataset(services.volume, name)
    if entry.known:
        raise WrongState(f"The data set {name} comes with Tenfold and stays; only uploaded ones can be deleted.")
    jobs = [job for kind in USERS for job in services.jobs.unfinished(kind)]
    users = [job.id for job in jobs if name in (job.parameters["dataset"], job.parameters.get("together_with"))]
    if users:
        raise WrongState(
            f"Unfinished trainings, sweeps or reviews use the data set {name}: {', '.join(users[:3])}"
            f"{' …' if users[3:] else ''}. Wait for them to end or cancel them, then delete it."
        )
    try:
        services.volume.delete_dataset(name)
    except FileNotFoundError as error:
        raise UnknownDataset(f"There is no data set {name!r} any more.") from error


def check_usable(volume: Volume, name: str) -> None:
    """Refuse a data set that no training can use.

    Raises:
        InvalidSubmission: there is none of this name, or it is damaged.
    """
    try:
        entry = get_dataset(volume, name)
    except UnknownDataset as error:
        raise InvalidSubmission("dataset", str(error)) from error
    if not entry.usable:
        raise InvalidSubmission("dataset", f"The data set {name} cannot be used. {' '.join(entry.warnings)}")


def why_name_is_taken(services: Services, name: str) -> str | None:
    """Why no data set of this name can be made now, and what to do; None when it can."""
    if name in KNOWN:
        return f"{name} is a data set that comes with Tenfold. Choose another name."
    if (services.volume.catalogue() / name).exists():
        return f"There is already a data set {name}. Choose another name, or delete that one first."
    importing = [job.id for job in services.jobs.unfinished(JobKind.IMPORT) if job.parameters["name"] == name]
    if importing:
        return f"Job {importing[0]} is importing a data set {name}. Choose another name, or cancel that job first."
    making = [job.id for job in services.jobs.unfinished(JobKind.REVIEW) if job.parameters["dataset"] == name]
    if making:
        return f"Job {making[0]} is making a data set {name}. Choose another name, or cancel that job first."
    return None
