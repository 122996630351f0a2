"""The three kinds of step of a classification: plan the shards, classify one shard, merge them all."""

import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from trainer.errors import ImageUnreadable
from trainer.images import Normalised, NormaliseMode, normalise, read_image
from trainer.inference import Classifier
from worker.archives import Archive, UnreadableMember, label_of
from worker.leases import Lease, Shard
from worker.parameters import ClassificationParameters
from worker.results import write_results
from worker.services import Services
from worker.states import JobKind
from worker.volume import write_whole

log = logging.getLogger(__name__)

# Models kept warm in one worker process; a dense one takes a few MB.
MODELS_KEPT = 4

# The work stops, and progress shows, at most this many images after it should.
IMAGES_BETWEEN_CHECKS = 100


def plan(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Split the archive's images into shards and announce them.

    Raises:
        ArchiveError: the archive is gone or damaged.
        LeaseLost: the job was cancelled or another worker has the step.
    """
    with Archive(services.volume.archive(lease.job_id)) as archive:
        total, skipped = len(archive.listing.images), archive.listing.skipped
    size = services.settings.shard_images
    shards = [Shard(start, min(start + size, total)) for start in range(0, total, size)]
    services.volume.work(lease.job_id).mkdir(exist_ok=True)
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
    assert parameters.model is not None
    class_names = services.models.get(parameters.model).class_names
    classifier = load_classifier(services.volume.model(parameters.model) / "model.keras", class_names)

    def report(done: int) -> None:
        check()
        services.live.publish(lease.job_id, lease.step_id, done)

    with Archive(services.volume.archive(lease.job_id)) as archive:
        members = archive.listing.images[lease.input["start"] : lease.input["stop"]]
        rows = classify_members(
            archive,
            members,
            classifier,
            mode=parameters.normalise,
            max_image_bytes=services.settings.max_image_bytes,
            report=report,
        )
    output = services.volume.work(lease.job_id) / f"shard-{lease.position:06d}-{lease.token[:8]}.jsonl"
    with write_whole(output) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    check()
    merge_step = services.leases.finish_shard(
        lease, images=len(rows), output={"file": output.name, "worker": services.worker, "images": len(rows)}
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
    summary = write_results(_read_rows([work / shard["file"] for shard in shards], check), directory)

    workers: dict[str, int] = {}
    for shard in shards:
        workers[shard["worker"]] = workers.get(shard["worker"], 0) + shard["images"]
    seconds = services.clock() - (job.started_at or job.created_at)
    summary |= {
        "model": lease.parameters["model"],
        "skipped": job.detail.get("skipped", 0),
        "seconds": round(seconds, 3),
        "workers": workers,
    }
    with write_whole(directory / "summary.json") as file:
        file.write(json.dumps(summary, indent=2).encode())
    services.leases.finish_job(lease, summary)
    log.info("%d images, %d errors, %.1f s", summary["images"], summary["errors"], seconds)
    shutil.rmtree(work, ignore_errors=True)


def classify_members(
    archive: Archive,
    members: Iterable[zipfile.ZipInfo],
    classifier: Classifier,
    *,
    mode: NormaliseMode,
    max_image_bytes: int,
    report: Callable[[int], None],
) -> list[dict[str, Any]]:
    """One row for each member, in order: `name`, `truth`, and either the answer or `error`.

    Args:
        report: called now and then with how many members were read; may raise to stop.
    """
    rows: list[dict[str, Any]] = []
    read: list[Normalised] = []
    rows_read: list[dict[str, Any]] = []
    for position, member in enumerate(members):
        if position % IMAGES_BETWEEN_CHECKS == 0:
            report(position)
        truth = label_of(member.filename, classifier.class_names)
        row: dict[str, Any] = {"name": member.filename, "truth": truth, "error": None}
        rows.append(row)
        try:
            image = normalise(read_image(archive.read(member, max_image_bytes)), mode=mode)
        except (UnreadableMember, ImageUnreadable) as error:
            row["error"] = str(error)
            continue
        read.append(image)
        rows_read.append(row)
    if read:
        probabilities = classifier.classify(np.stack([image.pixels for image in read]))
        for row, image, p in zip(rows_read, read, probabilities, strict=True):
            label = int(p.argmax())
            row |= {
                "label": classifier.class_names[label],
                "confidence": round(float(p[label]), 6),
                "probabilities": [round(float(value), 6) for value in p],
                "normalisation": image.method,
                "polarity": image.polarity,
            }
    return rows


@lru_cache(maxsize=MODELS_KEPT)
def load_classifier(path: Path, class_names: tuple[str, ...]) -> Classifier:
    """A model ready to classify, kept warm in this process."""
    log.info("loading %s", path)
    return Classifier.load(path, class_names)


def _read_rows(paths: Iterable[Path], check: Callable[[], None]) -> Iterable[dict[str, Any]]:
    for path in paths:
        check()
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
