"""The first two steps of a classification: plan the shards, and classify one. The third is in `merging`."""

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from math import ceil

import polars as pl

from tenfold.files.names import Kind, split_name
from tenfold.trainer.arrays import Bytes
from tenfold.trainer.files.class_names import ClassNames
from tenfold.trainer.images import Normalized
from tenfold.trainer.serving.inference import Ensemble
from tenfold.worker.classification.answers import Answering, answer
from tenfold.worker.classification.inputs import INDEX, input_of, listing_of, planned_work
from tenfold.worker.classification.labels.folders import FolderLabels, find_folder_labels
from tenfold.worker.classification.labels.manifest import Manifest, read_manifest
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.reading.images import ReadImage, read_images
from tenfold.worker.classification.reading.page_counts import with_pages
from tenfold.worker.classification.results import PICTURES, write_shard
from tenfold.worker.classification.review_queue.drawing import draw, least_certain
from tenfold.worker.classification.thresholds import review_threshold
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import ArchiveError
from tenfold.worker.jobs.leases import Lease, Shard
from tenfold.worker.models.cache import load_ensemble
from tenfold.worker.models.preparing import preparation_for
from tenfold.worker.observability.metrics import IMAGES, STAGE_SECONDS
from tenfold.worker.observability.stopwatch import Stopwatch
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.sources import (
    Limits,
    Listing,
    Member,
    Source,
    UnreadableMember,
    open_source,
    prepare,
    read_index,
    read_positions,
    write_index,
)
from tenfold.worker.storage.whole import atomic_write

log = logging.getLogger(__name__)

# In the job's work directory: the rows of the manifest.
MANIFEST = "manifest.arrow"

# A file of this name must be a valid manifest; tables of other names may have another purpose.
MANIFEST_NAME = "manifest.csv"

# A shard's model inputs are held in memory: 5,000 images of 64×64 in color.
SHARD_INPUT_BYTES = 64 * 2**20

# Assumed size of an image if the source does not have it: a scan.
TYPICAL_BYTES = 100_000


def plan(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Split the images of the input into shards and announce them.

    Raises:
        ArchiveError: the input is missing, damaged, has no images or exceeds the limits, or its manifest is invalid.
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
        model = services.models.get(parameters.model[0])
        size = _shard_size(total, listing.unpacked_bytes, math.prod(model.input.shape), services.settings)
        with atomic_write(work / INDEX) as file:
            write_index(source.members(positions), file)
        classes = ClassNames(model.class_names)
        manifest, unused = _choose_manifest(source, listing, classes, services.settings.max_image_bytes)
        if manifest is not None:
            with atomic_write(work / MANIFEST) as file:
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
        "folders": find_folder_labels(listing.folders, classes),
        "manifest": manifest.about if manifest else None,
        "unused_tables": unused,
        "pages": pages,
    }
    step_ids = services.leases.finish_plan(lease, shards, detail)
    log.info("%d images in %d shards, skipped: %s", total, len(shards), dict(skipped) or "nothing")
    services.queue.announce(JobKind.CLASSIFICATION, step_ids)


def classify_shard(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Classify the images of one shard, write their rows, and draw those to review.

    An unreadable image is a row with its error. The file's name contains the lease's token, so that a worker that lost
    its lease cannot overwrite valid output.

    Raises:
        ArchiveError: the input is missing or damaged.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker is stopping.
    """
    parameters = ClassificationParameters(**lease.parameters)
    settings = services.settings
    models = [services.models.get(model_id) for model_id in parameters.model]
    job = services.jobs.get(lease.job_id)
    watch = Stopwatch()
    with watch.stage("load"):
        loaded = load_ensemble(models, services.volume)
    threshold = review_threshold(models, parameters)
    shadow = _shadow(services, parameters.shadow, watch)
    labels = FolderLabels(job.detail.get("folders"), ClassNames(loaded.ensemble.class_names))
    answering = Answering(loaded, threshold, parameters.top_k, lease.position, labels, watch, shadow)

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
            preparation_for(parameters.normalize, parameters.polarity, models),
            max_image_bytes=settings.max_image_bytes,
            threads=settings.threads_per_process,
            report=report,
            stopwatch=watch,
        )
        inputs: dict[int, Bytes] = {}
        rows = pl.concat([answering.schema.to_frame(), *answer(_collecting(images, start, inputs), start, answering)])
        share = len(rows) / job.total
        numbers = least_certain(rows, share, settings.max_review_images)
        positions, kept = read_positions(work / INDEX, numbers), [inputs[number] for number in numbers]
        with watch.stage("draw"):
            drawn = list(draw(source, numbers, positions, kept, settings, check))
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


def _shadow(services: Services, model_id: str | None, watch: Stopwatch) -> Ensemble | None:
    if model_id is None:
        return None
    with watch.stage("load"):
        return load_ensemble([services.models.get(model_id)], services.volume).ensemble


def _collecting(images: Iterable[ReadImage], start: int, inputs: dict[int, Bytes]) -> Iterator[ReadImage]:
    """Yield the images, and store the model input of each by its row."""
    for row, (member, image) in enumerate(images, start):
        if isinstance(image, Normalized):
            inputs[row] = image.pixels
        yield member, image


def _shard_size(images: int, unpacked_bytes: int, input_bytes: int, settings: Settings) -> int:
    """Images per shard: as many as the settings and the model's inputs (bytes each) allow, nearly equal in all."""
    mean_bytes = unpacked_bytes / images or TYPICAL_BYTES
    by_bytes = min(int(settings.shard_bytes // mean_bytes), SHARD_INPUT_BYTES // input_bytes)
    most = max(1, min(settings.shard_images, by_bytes))
    return ceil(images / ceil(images / most))


def _choose_manifest(
    source: Source, listing: Listing, classes: ClassNames, max_bytes: int
) -> tuple[Manifest | None, dict[str, str]]:
    """The first table that names images, and the reason why each other table is not used.

    Raises:
        ArchiveError: a `manifest.csv` is invalid.
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
