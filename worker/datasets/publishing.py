"""Publishes a data set made by a job on the volume, under a new name."""

import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from tenfold.trainer.data.files import PREVIEW
from tenfold.trainer.data.importing import Imported, save_dataset
from tenfold.trainer.data.preview import plot_samples
from tenfold.worker.datasets.datasets import SOURCE, get_dataset, maker_of
from tenfold.worker.db.states import JobState
from tenfold.worker.errors import DatasetNameTaken, UnknownJob
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.services import Services

log = logging.getLogger(__name__)


def publish(services: Services, lease: Lease, imported: Imported, check: Callable[[], None]) -> None:
    """Write the data set, its preview and its source; they appear together.

    Raises:
        DatasetNameTaken: another job published a data set of this name first.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker is stopping.
    """
    name = imported.dataset.name
    for note in imported.report.notes:
        log.info("%s", note)
    for warning in imported.report.warnings:
        log.warning("%s", warning)
    source = {"job": lease.job_id, **services.jobs.get(lease.job_id).source}
    try:
        renaming = partial(services.leases.locked, lease)
        place = services.volume.dataset(name)
        with services.volume.storage.write_directory(place, replace=False, renaming=renaming) as directory:
            save_dataset(imported, directory)
            plot_samples(imported.dataset, directory / PREVIEW)
            (directory / SOURCE).write_text(json.dumps(source, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            check()
    except FileExistsError as error:
        raise DatasetNameTaken(
            f"Another job made a data set {name} first. Choose another name, or delete that data set and retry this "
            "job."
        ) from error
    log.info("%s: %d training and %d test images", name, imported.report.train, imported.report.test)


def is_published(services: Services, job_id: str, name: str) -> bool:
    """Whether this job made the data set of this name."""
    return maker_of(services.volume, name) == job_id


def dataset_summary(services: Services, name: str) -> dict[str, Any]:
    """The summary of a job that made a data set."""
    entry = get_dataset(services.volume, name)
    return {
        "name": name,
        "classes": list(entry.class_names),
        "images": entry.train + entry.test,
        "train_images": entry.train,
        "test_images": entry.test,
        "input": entry.input.as_dict() if entry.input else None,
        "skipped": dict(entry.report.get("skipped", {})),
        "notes": list(entry.report.get("notes", [])),
        "warnings": list(entry.warnings),
    }


def unpublish_if_abandoned(services: Services, job_id: str, name: str) -> None:
    """Remove the data set if the job was cancelled while publishing it."""
    try:
        state = services.jobs.get(job_id).state
    except UnknownJob:
        state = JobState.CANCELLED
    if state in (JobState.FAILED, JobState.CANCELLED) and is_published(services, job_id, name):
        services.volume.delete_dataset(name)
