"""The first two steps of a classification: plan the shards, and classify one of them. `merging` has the third."""

import logging
from collections.abc import Callable

from worker.answers import Answering, answer
from worker.archives import Archive, read_index, write_index
from worker.leases import Lease, Shard
from worker.parameters import ClassificationParameters
from worker.reading import read_images
from worker.results import write_shard
from worker.services import Services
from worker.states import JobKind
from worker.thresholds import review_threshold
from worker.volume import write_whole
from worker.warm import load_panel

log = logging.getLogger(__name__)

# In the job's work directory: where the archive has its images, so that no shard goes through all of its directory.
INDEX = "images.index"
# And what the archive's manifest says of them.
MANIFEST = "manifest.arrow"


def plan(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Split the archive's images into shards and announce them.

    Raises:
        ArchiveError: the archive is gone or damaged.
        LeaseLost: the job was cancelled or another worker has the step.
    """
    work = services.volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    with Archive(services.volume.archive(lease.job_id)) as archive:
        total, skipped = len(archive.listing.images), archive.listing.skipped
        with write_whole(work / INDEX) as file:
            write_index(archive.listing.images, file)
    size = services.settings.shard_images
    shards = [Shard(start, min(start + size, total)) for start in range(0, total, size)]
    check()
    step_ids = services.leases.finish_plan(lease, shards, {"skipped": skipped})
    log.info("%d images in %d shards, %d other files skipped", total, len(shards), skipped)
    services.queue.announce(JobKind.CLASSIFICATION, step_ids)


def classify_shard(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Classify one run of the archive's images and write their rows.

    A bad image is a row with its error. The file's name carries the lease's token, so that a worker that
    lost its lease and wakes up late cannot touch what counts.

    Raises:
        ArchiveError: the archive is gone or damaged.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker was told to stop.
    """
    parameters = ClassificationParameters(**lease.parameters)
    settings = services.settings
    models = [services.models.get(model_id) for model_id in parameters.model]
    answering = Answering(
        load_panel(models, services.volume), review_threshold(models, parameters), parameters.top_k, lease.position
    )

    def report(done: int) -> None:
        check()
        services.live.publish(lease.job_id, lease.step_id, done)

    work = services.volume.work(lease.job_id)
    output = work / f"shard-{lease.position:06d}-{lease.token[:8]}.arrow"
    start, stop = lease.input["start"], lease.input["stop"]
    with Archive(services.volume.archive(lease.job_id)) as archive:
        images = read_images(
            archive,
            archive.members(read_index(work / INDEX, start, stop)),
            parameters,
            max_image_bytes=settings.max_image_bytes,
            threads=settings.threads_per_process,
            report=report,
        )
        count = write_shard(answer(images, start, answering), output)
    check()
    merge_step = services.leases.finish_shard(
        lease,
        images=count,
        output={"file": output.name, "worker": services.worker, "images": count},
    )
    services.queue.announce(JobKind.CLASSIFICATION, merge_step)
