"""The one step of an import: read and check the uploaded file, and publish it as a data set."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainer.dataset_files import PREVIEW
from trainer.dataset_plots import plot_samples
from trainer.importing import import_dataset, save_dataset
from worker.datasets import get_dataset
from worker.errors import DatasetNameTaken, LeaseLost, UnknownJob
from worker.leases import Lease
from worker.parameters import ImportParameters
from worker.services import Services
from worker.states import JobState
from worker.volume import write_directory_whole

log = logging.getLogger(__name__)

# Which job made a data set, and from which file.
SOURCE = "source.json"


def import_upload(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Make the data set that the lease's parameters name from the job's upload, which is then removed.

    An attempt that finds the data set published by an earlier attempt of the same job goes on from there.

    Raises:
        DatasetInvalid: the file is no data set; nothing of it is published.
        DatasetNameTaken: another job published a data set of this name first.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker was told to stop.
    """
    name = ImportParameters(**lease.parameters).name
    if not _is_published(services, lease.job_id, name):
        _publish(services, lease, check)
    try:
        services.leases.finish_job(lease, _summary(services, name))
    except LeaseLost:
        _unpublish_if_abandoned(services, lease.job_id, name)
        raise
    services.volume.upload(lease.job_id).unlink(missing_ok=True)


def _publish(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    parameters = ImportParameters(**lease.parameters)
    upload = services.volume.upload(lease.job_id)
    imported = import_dataset(upload, parameters.name, test_share=parameters.test_share, check=check)
    for warning in imported.report.warnings:
        log.warning("%s", warning)
    source = {"job": lease.job_id, **services.jobs.get(lease.job_id).source}
    try:
        with write_directory_whole(services.volume.dataset(parameters.name), replace=False) as directory:
            save_dataset(imported, directory)
            plot_samples(imported.dataset, directory / PREVIEW)
            (directory / SOURCE).write_text(json.dumps(source, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            check()
            services.leases.renew(lease)
    except FileExistsError as error:
        raise DatasetNameTaken(
            f"Another import made a data set {parameters.name} first. Upload this file under another name, or delete "
            "that data set and retry this job."
        ) from error
    log.info("%s: %d training and %d test images", parameters.name, imported.report.train, imported.report.test)


def _summary(services: Services, name: str) -> dict[str, Any]:
    entry = get_dataset(services.volume, name)
    return {
        "name": name,
        "classes": list(entry.class_names),
        "images": entry.train + entry.test,
        "train": entry.train,
        "test": entry.test,
        "warnings": list(entry.warnings),
    }


def _is_published(services: Services, job_id: str, name: str) -> bool:
    source: Path = services.volume.dataset(name) / SOURCE
    try:
        return bool(json.loads(source.read_bytes())["job"] == job_id)
    except FileNotFoundError:
        return False


def _unpublish_if_abandoned(services: Services, job_id: str, name: str) -> None:
    """The job was cancelled while its data set was being published: nobody is to find it."""
    try:
        state = services.jobs.get(job_id).state
    except UnknownJob:
        state = JobState.CANCELLED
    if state in (JobState.FAILED, JobState.CANCELLED) and _is_published(services, job_id, name):
        services.volume.delete_dataset(name)
