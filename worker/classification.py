"""The three kinds of step of a classification: plan the shards, classify one shard, merge them all."""

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Sequence

from trainer.acceptance import Acceptance
from worker.answers import Answering, answer
from worker.archives import Archive, read_index, write_index
from worker.leases import Lease, Shard
from worker.parameters import ClassificationParameters
from worker.reading import read_images
from worker.records import Model
from worker.results import read_shards, write_results, write_shard
from worker.services import Services
from worker.states import JobKind
from worker.summary import summarise
from worker.volume import write_whole
from worker.warm import load_panel

log = logging.getLogger(__name__)

# In the job's work directory: where the archive has its images, so that no shard goes through all of its directory.
INDEX = "images.index"


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
    """Classify one run of the archive's images and write their rows, one JSON object a line.

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


def merge(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Join the shards in member order into `results.csv`, `results.jsonl` and `summary.json`.

    Raises:
        LeaseLost: the job was cancelled or another worker has the step.
    """
    job = services.jobs.get(lease.job_id)
    work = services.volume.work(lease.job_id)
    shards = services.leases.shard_outputs(lease.job_id)
    directory = services.volume.job(lease.job_id)
    parameters = ClassificationParameters(**lease.parameters)
    models = [services.models.get(model_id) for model_id in parameters.model]
    class_names = models[0].class_names
    rows = read_shards([work / shard["file"] for shard in shards])
    write_results(rows, directory, check)

    workers = Counter[str]()
    for shard in shards:
        workers[shard["worker"]] += shard["images"]
    seconds = services.clock() - (job.started_at or job.created_at)
    summary = summarise(rows, class_names) | {
        "model": list(parameters.model),
        "class_names": list(class_names),
        "review_below": review_threshold(models, parameters),
        "skipped": job.detail.get("skipped", 0),
        "seconds": round(seconds, 3),
        "images_per_second": round(job.total / seconds, 1),
        "workers": dict(workers),
    }
    with write_whole(directory / "summary.json") as file:
        file.write(json.dumps(summary, indent=2).encode())
    services.leases.finish_job(lease, summary)
    log.info("%d images, %d errors, %.1f s", summary["images"], summary["errors"], seconds)
    shutil.rmtree(work, ignore_errors=True)


def review_threshold(models: Sequence[Model], parameters: ClassificationParameters) -> float:
    """The confidence up to which answers go to review.

    Of several models it is that of the one that asks the most, since how often they are wrong together was not
    measured; a model that was never measured is taken at its word.
    """
    if parameters.review_below is not None:
        return parameters.review_below
    measured = [model.metrics.get("calibration", {}).get("acceptance") for model in models]
    return max(
        Acceptance.read(curve).threshold_for(parameters.max_error_rate) if curve else 1 - parameters.max_error_rate
        for curve in measured
    )
