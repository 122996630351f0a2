"""The one step of an import: read and check the uploaded file, and publish it as a data set."""

import contextlib
from collections.abc import Callable

from tenfold.trainer.data.importing import Wanted, import_dataset
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.datasets.publishing import dataset_summary, is_published, publish, unpublish_if_abandoned
from tenfold.worker.errors import LeaseLost
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.services import Services


def import_upload(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Make the data set that the lease's parameters name from the job's upload, which is then removed.

    If an earlier attempt of the job has published the data set, this one continues from there.

    Raises:
        DatasetInvalid: the file is not a valid data set; nothing is published.
        DatasetNameTaken: another job published a data set of this name first.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker is stopping.
    """
    parameters = ImportParameters(**lease.parameters)
    storage = services.volume.storage
    upload = storage.fetch(services.volume.upload(lease.job_id))
    if not is_published(services, lease.job_id, parameters.name):
        imported = import_dataset(
            upload,
            parameters.name,
            test_share=parameters.test_share,
            wanted=_wanted(parameters),
            check=check,
        )
        publish(services, lease, imported, check)
    try:
        services.leases.finish_job(lease, dataset_summary(services, parameters.name))
    except LeaseLost:
        unpublish_if_abandoned(services, lease.job_id, parameters.name)
        raise
    with contextlib.suppress(FileNotFoundError):
        storage.remove(upload)


def _wanted(parameters: ImportParameters) -> Wanted:
    preprocessing = None if parameters.preprocessing == "auto" else parameters.preprocessing
    channels = {"auto": None, "gray": 1, "color": 3}[parameters.color]
    return Wanted(preprocessing, parameters.height_and_width, channels)
