"""Lists, finds and deletes data sets on the volume, and checks their names."""

import json
from collections.abc import Sequence

from tenfold.trainer.data.catalog import BUILTIN_DATASETS, DatasetEntry, list_entries, read_entry
from tenfold.trainer.errors import DatasetMissing
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import InvalidSubmission, UnknownDataset, WrongState
from tenfold.worker.services import Services
from tenfold.worker.storage.volume import Volume

# The parameters of their jobs that name a data set.
NAMING = ("dataset", "together_with", "on", "check")

# In a data set's directory: the job that made it, and its source.
SOURCE = "source.json"

USERS = (JobKind.SWEEP, JobKind.TRAINING, JobKind.REVIEW, JobKind.COMPARISON, JobKind.MODEL_IMPORT, JobKind.CHECK)


def list_datasets(volume: Volume) -> Sequence[DatasetEntry]:
    """All data sets, built-in ones first."""
    return list_entries(volume.catalog())


def get_dataset(volume: Volume, name: str) -> DatasetEntry:
    """One data set.

    Raises:
        UnknownDataset: there is no data set of this name.
    """
    try:
        return read_entry(name, volume.catalog())
    except DatasetMissing as error:
        raise UnknownDataset(str(error)) from error


def maker_of(volume: Volume, name: str) -> str | None:
    """The id of the job that made a data set; None if no job did."""
    try:
        made = json.loads((volume.catalog() / name / SOURCE).read_bytes())
    except FileNotFoundError:
        return None
    return str(made["job"])


def delete_dataset(services: Services, name: str) -> None:
    """Delete an imported data set. Models trained on it are kept.

    Raises:
        UnknownDataset: there is no data set of this name.
        WrongState: it is built in, or an unfinished job uses it.
    """
    entry = get_dataset(services.volume, name)
    if entry.builtin:
        raise WrongState(f"The data set {name} is built in; only imported ones can be deleted.")
    jobs = [job for kind in USERS for job in services.jobs.unfinished(kind)]
    users = [job.id for job in jobs if name in (job.parameters.get(parameter) for parameter in NAMING)]
    if users:
        raise WrongState(
            f"Unfinished jobs use the data set {name}: {', '.join(users[:3])}"
            f"{' …' if users[3:] else ''}. Wait until they have finished or cancel them, then delete it."
        )
    try:
        services.volume.delete_dataset(name)
    except FileNotFoundError as error:
        raise UnknownDataset(f"The data set {name!r} has been deleted.") from error


def check_usable(volume: Volume, name: str, field: str = "dataset") -> DatasetEntry:
    """The data set, unless it cannot be trained on.

    Args:
        field: the parameter that names it.

    Raises:
        InvalidSubmission: there is no such data set, or it is damaged.
    """
    try:
        entry = get_dataset(volume, name)
    except UnknownDataset as error:
        raise InvalidSubmission(field, str(error)) from error
    if not entry.usable:
        raise InvalidSubmission(field, f"The data set {name} cannot be used. {' '.join(entry.warnings)}")
    return entry


def why_name_is_taken(services: Services, name: str) -> str | None:
    """Why the name is not available, and what to do; None if it is."""
    if name in BUILTIN_DATASETS:
        return f"{name} is a built-in data set. Choose another name."
    if (services.volume.catalog() / name).exists():
        return f"The name {name} is already in use. Choose another name, or delete that data set first."
    importing = [job.id for job in services.jobs.unfinished(JobKind.IMPORT) if job.parameters["name"] == name]
    if importing:
        return f"Job {importing[0]} is importing a data set {name}. Choose another name, or cancel that job first."
    making = [job.id for job in services.jobs.unfinished(JobKind.REVIEW) if job.parameters["dataset"] == name]
    if making:
        return f"Job {making[0]} is making a data set {name}. Choose another name, or cancel that job first."
    return None
