"""The first two steps of a classification: plan the shards, and classify one of them. `merging` has the third."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import ceil

import polars as pl

from trainer.idx import Bytes
from trainer.images import Normalised
from trainer.naming.class_names import ClassNames
from worker.answers import Answering, answer
from worker.errors import ArchiveError
from worker.inputs import INDEX, input_of, listing_of, planned_work
from worker.leases import Lease, Shard
from worker.manifest import Manifest, read_manifest
from worker.metrics import IMAGES, STAGE_SECONDS
from worker.page_counting import with_pages
from worker.parameters import ClassificationParameters
from worker.preparing import preparation_for
from worker.reading import ReadImage, read_images
from worker.results import PICTURES, ROWS, write_shard
from worker.review_drawing import draw, least_certain
from worker.services import Services
from worker.settings import Settings
from worker.sources import (
    Limits,
    Listing,
    Member,
    Source,
    UnreadableMember,
    open_source,
    prepare,
    read_index,
    read_places,
    write_index,
)
from worker.sources.names import Kind, split_name
from worker.states import JobKind
from worker.stopwatch import Stopwatch
from worker.storage.whole import write_whole
from worker.thresholds import review_threshold
from worker.truth import FolderTruth, find_folder_truth
from worker.warm import load_panel

log = logging.getLogger(__name__)

# In the job's work directory: what the archive's manifest says of its images.
MANIFEST = "manifest.arrow"

# A table of this name is meant for Tenfold, so that it has to be one; of other names many are for something else.
MANIFEST_NAME = "manifest.csv"

# Of one image, where the source does not say how large they are: a scan's.
TYPICAL_BYTES = 100_000


def plan(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Split the images of what was handed in into shards and announce them.

    Raises:
        ArchiveError: it is gone, damaged, without images, or beyond the limits, or its manifest is of no use.
        LeaseLost: the job was cancelled or another worker has the step.
    """
    parameters = ClassificationParameters(**lease.parameters)
    work = services.volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    path, limits = input_of(services.volume, lease.job_id, lease.parameters), Limits.of(services.settings)
    prepare(path, work, limits, check)
    with open_source(path, work, limits) as source:
        listing = listing_of(services.volume, lease.job_id, source)
        positions, pages = with_pages(source, listing, limits, check)
        total = len(positions)
        size = _shard_size(total, listing.unpacked_bytes, services.settings)
        with write_whole(work / INDEX) as file:
            write_index(source.members(positions), file)
        classes = ClassNames(services.models.get(parameters.model[0]).class_names)
        manifest, unused = _choose_manifest(source, listing, classes, services.settings.max_image_bytes)
        if manifest is not None:
            with write_whole(work / MANIFEST) as file:
                manifest.rows.write_ipc(file)
    services.volume.storage.publish(work)
    shards = [Shard(start, min(start + size, total)) for start in range(0, total, size)]
    check()
    skipped = Counter(listing.skipped)
    if unused:
        skipped[Kind.OTHER.value] += len(unused)
    retry = services.jobs.get(lease.job_id).detail.get("retry")
    detail = {
        **({"retry": retry} if retry else {}),
        "skipped": skipped.total(),
        "skipped_kinds": dict(skipped),
        "skipped_examples": dict(listing.skipped_examples),
        "folders": find_folder_truth(listing.folders, classes),
        "manifest": manifest.about if manifest else None,
        "unused_tables": unused,
        "pages": pages,
    }
    step_ids = services.leases.finish_plan(lease, shards, detail)
    log.info("%d images in %d shards, skipped: %s", total, len(shards), dict(skipped) or "nothing")
    services.queue.announce(JobKind.CLASSIFICATION, step_ids)


def classify_shard(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Classify one run of the archive's images, write their rows, and draw those to review.

    A bad image is a row with its error. The file's name carries the lease's token, so that a worker that
    lost its lease and wakes up late cannot touch what counts.

    Raises:
        ArchiveError: what was handed in is gone or damaged.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker was told to stop.
    """
    parameters = ClassificationParameters(**lease.parameters)
    settings = services.settings
    models = [services.models.get(model_id) for model_id in parameters.model]
    job = services.jobs.get(lease.job_id)
    watch = Stopwatch()
    with watch.stage("load"):
        panel = load_panel(models, services.volume)
    threshold = review_threshold(models, parameters)
    truth = FolderTruth(job.detail.get("folders"), ClassNames(panel.ensemble.class_names))
    answering = Answering(panel, threshold, parameters.top_k, lease.position, truth, watch)

    def report(done: int) -> None:
        check()
        services.live.publish(lease.job_id, lease.step_id, done)

    path = input_of(services.volume, lease.job_id, lease.parameters)
    work = planned_work(services.volume, lease.job_id, path)
    output = work / f"shard-{lease.position:06d}-{lease.token[:8]}.arrow"
    start, stop = lease.input["start"], lease.input["stop"]
    with open_source(path, work) as source:
        images = read_images(
            source,
            source.members(read_index(work / INDEX, start, stop)),
            preparation_for(parameters, models),
            max_image_bytes=settings.max_image_bytes,
            threads=settings.threads_per_process,
            report=report,
            stopwatch=watch,
        )
        seen: dict[int, Bytes] = {}
        rows = pl.concat([ROWS.to_frame(), *answer(_noting(images, start, seen), start, answering)])
        share = len(rows) / job.total
        numbers = least_certain(rows, share, settings.max_review_images)
        places, kept = read_places(work / INDEX, numbers), [seen[number] for number in numbers]
        with watch.stage("draw"):
            drawn = list(draw(source, numbers, places, kept, settings, check))
        with watch.stage("write"):
            written = write_shard(rows, pl.DataFrame(drawn, schema=PICTURES, orient="row"), output)
    services.volume.storage.publish(*written)
    check()
    merge_step = services.leases.finish_shard(
        lease,
        images=len(rows),
        output={"file": output.name, "worker": services.worker, "images": len(rows)},
    )
    services.queue.announce(JobKind.CLASSIFICATION, merge_step)
    errors = rows["error"].count()
    IMAGES.labels("answered").inc(len(rows) - errors)
    IMAGES.labels("error").inc(errors)
    watch.observe(STAGE_SECONDS, lease.kind)


def _noting(images: Iterable[ReadImage], start: int, seen: dict[int, Bytes]) -> Iterator[ReadImage]:
    """The images; what the model will see of each is noted under its row."""
    for row, (member, image) in enumerate(images, start):
        if isinstance(image, Normalised):
            seen[row] = image.pixels
        yield member, image


def _shard_size(images: int, unpacked_bytes: int, settings: Settings) -> int:
    """Images in a shard: as many as the settings allow, and nearly the same in all shards."""
    mean_bytes = unpacked_bytes / images or TYPICAL_BYTES
    most = max(1, min(settings.shard_images, int(settings.shard_bytes // mean_bytes)))
    return ceil(images / ceil(images / most))


def _choose_manifest(
    source: Source, listing: Listing, classes: ClassNames, max_bytes: int
) -> tuple[Manifest | None, dict[str, str]]:
    """The first table that names images, and why each of the others is not used.

    Raises:
        ArchiveError: it is called `manifest.csv`, and cannot be used.
    """
    unused: dict[str, str] = {}
    chosen = None
    for member in listing.manifest:
        if chosen is not None:
            unused[member.name] = f"{chosen.file} is used"
            continue
        try:
            chosen = _read_manifest(source, member, classes, max_bytes)
        except ArchiveError as error:
            if split_name(member.name)[1].lower() == MANIFEST_NAME:
                raise
            unused[member.name] = str(error)
    return chosen, unused


def _read_manifest(source: Source, member: Member, classes: ClassNames, max_bytes: int) -> Manifest:
    try:
        data = source.read(member, max_bytes)
    except UnreadableMember as error:
        raise ArchiveError(f"{member.name} {error}.") from error
    return read_manifest(data, member.name, classes)
