"""The three kinds of step of a classification: plan the shards, classify one shard, merge them all."""

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from trainer.decoding import decode
from trainer.errors import ImageUnreadable
from trainer.images import Normalised, NormaliseMode, normalise
from trainer.inference import BATCH, Classifier
from worker.errors import ArchiveError
from worker.leases import Lease, Shard
from worker.parameters import ClassificationParameters
from worker.results import Row, Tally, join_shards, write_shard
from worker.services import Services
from worker.sources import (
    Limits,
    Member,
    Source,
    UnreadableMember,
    label_of,
    open_source,
    prepare,
    read_index,
    write_index,
)
from worker.states import JobKind
from worker.volume import write_whole

log = logging.getLogger(__name__)

# Models kept warm in one worker process; a dense one takes a few MB.
MODELS_KEPT = 4

# The work stops, and progress shows, at most this many images after it should.
IMAGES_BETWEEN_CHECKS = 100

# In the job's work directory: where the source has its images, so that no shard goes through all of it.
INDEX = "images.index"


def plan(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Split the images of what was handed in into shards and announce them.

    Raises:
        ArchiveError: it is gone, damaged, without images, or beyond the limits.
        LeaseLost: the job was cancelled or another worker has the step.
    """
    work = services.volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    path, limits = input_of(services, lease), Limits.of(services.settings)
    prepare(path, work, limits, check)
    with open_source(path, work, limits) as source:
        total, skipped = len(source.listing.images), source.listing.skipped
        with write_whole(work / INDEX) as file:
            write_index(source.listing.images, file)
    size = services.settings.shard_images
    shards = [Shard(start, min(start + size, total)) for start in range(0, total, size)]
    check()
    detail = {"skipped": sum(skipped.values()), "skipped_kinds": dict(skipped)}
    step_ids = services.leases.finish_plan(lease, shards, detail)
    log.info("%d images in %d shards, skipped: %s", total, len(shards), dict(skipped) or "nothing")
    services.queue.announce(JobKind.CLASSIFICATION, step_ids)


def classify_shard(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Classify one run of the archive's images and write their rows, one JSON object a line.

    A bad image is a row with its error. The file's name carries the lease's token, so that a worker that
    lost its lease and wakes up late cannot touch what counts.

    Raises:
        ArchiveError: what was handed in is gone or damaged.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker was told to stop.
    """
    parameters = ClassificationParameters(**lease.parameters)
    assert parameters.model is not None
    class_names = services.models.get(parameters.model).class_names
    classifier = load_classifier(services.volume.model(parameters.model) / "model.keras", class_names)

    def report(done: int) -> None:
        check()
        services.live.publish(lease.job_id, lease.step_id, done)

    work = services.volume.work(lease.job_id)
    output = work / f"shard-{lease.position:06d}-{lease.token[:8]}.jsonl"
    with open_source(input_of(services, lease), work) as source:
        members = source.members(read_index(work / INDEX, lease.input["start"], lease.input["stop"]))
        rows = classify_members(
            source,
            members,
            classifier,
            mode=parameters.normalise,
            max_image_bytes=services.settings.max_image_bytes,
            report=report,
        )
        tally = write_shard(rows, output)
    check()
    merge_step = services.leases.finish_shard(
        lease,
        images=tally.images,
        output={"file": output.name, "worker": services.worker, "tally": tally.values()},
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
    join_shards([work / shard["file"] for shard in shards], directory, check)

    tally, workers = Tally(), Counter[str]()
    for shard in shards:
        of_shard = Tally.read(shard["tally"])
        tally += of_shard
        workers[shard["worker"]] += of_shard.images
    seconds = services.clock() - (job.started_at or job.created_at)
    summary = tally.summary() | {
        "model": lease.parameters["model"],
        "skipped": job.detail.get("skipped", 0),
        "skipped_kinds": job.detail.get("skipped_kinds", {}),
        "seconds": round(seconds, 3),
        "workers": dict(workers),
    }
    with write_whole(directory / "summary.json") as file:
        file.write(json.dumps(summary, indent=2).encode())
    services.leases.finish_job(lease, summary)
    log.info("%d images, %d errors, %.1f s", summary["images"], summary["errors"], seconds)
    shutil.rmtree(work, ignore_errors=True)


def input_of(services: Services, lease: Lease) -> Path:
    """The archive that was uploaded, or the directory of the inbox that was named.

    Raises:
        ArchiveError: the directory is no longer there.
    """
    directory = ClassificationParameters(**lease.parameters).directory
    if directory is None:
        return services.volume.archive(lease.job_id)
    found = services.volume.inbox_directory(directory)
    if found is None:
        raise ArchiveError(f"There is no directory {directory!r} in the inbox any more. Put it there again and retry.")
    return found


def classify_members(
    source: Source,
    members: Iterable[Member],
    classifier: Classifier,
    *,
    mode: NormaliseMode,
    max_image_bytes: int,
    report: Callable[[int], None],
) -> Iterator[Row]:
    """One row for each member, in order: `name`, `truth`, `error`, and the answer where there is no error.

    A batch of images is held at a time.

    Args:
        report: called now and then with how many members were read; may raise to stop.
    """
    rows: list[Row] = []
    read: list[tuple[Row, Normalised]] = []
    for position, member in enumerate(members):
        if position % IMAGES_BETWEEN_CHECKS == 0:
            report(position)
        row: Row = {"name": member.name, "truth": label_of(member.name, classifier.class_names), "error": None}
        rows.append(row)
        try:
            read.append((row, normalise(decode(source.read(member, max_image_bytes)), mode=mode)))
        except (UnreadableMember, ImageUnreadable) as error:
            row["error"] = str(error)
        if len(read) == BATCH:
            _answer(read, classifier)
            yield from rows
            rows, read = [], []
    _answer(read, classifier)
    yield from rows


def _answer(read: list[tuple[Row, Normalised]], classifier: Classifier) -> None:
    """Put the answers into the rows of a batch of images."""
    if not read:
        return
    probabilities = classifier.classify(np.stack([image.pixels for _, image in read]))
    labels = probabilities.argmax(axis=1).tolist()
    # As doubles: a float32 cannot be 0.1, and would be written with all its digits.
    rounded = probabilities.astype(np.float64).round(6).tolist()
    for (row, image), label, of_classes in zip(read, labels, rounded, strict=True):
        row["label"] = classifier.class_names[label]
        row["confidence"] = of_classes[label]
        row["probabilities"] = of_classes
        row["normalisation"] = image.method
        row["polarity"] = image.polarity


@lru_cache(maxsize=MODELS_KEPT)
def load_classifier(path: Path, class_names: tuple[str, ...]) -> Classifier:
    """A model ready to classify, kept warm in this process."""
    log.info("loading %s", path)
    return Classifier.load(path, class_names)
