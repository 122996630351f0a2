"""The last step of a classification: merge the shards into results, pictures and a summary."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.files.class_names import ClassNames
from tenfold.worker.classification.accepted_errors import accepted_error
from tenfold.worker.classification.inputs import input_of
from tenfold.worker.classification.labels.folders import about_true_labels
from tenfold.worker.classification.labels.matching import match_manifest
from tenfold.worker.classification.notes import notes_of
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.plots import write_pictures
from tenfold.worker.classification.reading.images import read_pixels_of
from tenfold.worker.classification.results import read_shards, write_results
from tenfold.worker.classification.review_queue.writing import write_review
from tenfold.worker.classification.shadow import summarize_shadow
from tenfold.worker.classification.step import INDEX, MANIFEST
from tenfold.worker.classification.summary import summarize
from tenfold.worker.classification.thresholds import review_threshold, why_all_are_reviewed
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.outputs import commit_outputs, staging_directory
from tenfold.worker.models.preparing import Preparation, preparation_for, preparation_notes
from tenfold.worker.services import Services
from tenfold.worker.sources import open_source, read_positions
from tenfold.worker.storage.whole import atomic_write

log = logging.getLogger(__name__)

# Avoids division by zero.
MIN_SECONDS = 0.001

# In `summary.json` but not in the job's row, which is read at every poll.
ONLY_IN_FILE = ("confusion", "worst_mistakes", "class_names")


def merge(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Join the shards in the archive's order.

    Writes `results.csv`, `results.jsonl`, `results.parquet`, the pictures of `plots`, `summary.json` and the review
    queue, and publishes them together.

    Raises:
        LeaseLost: the job was cancelled or another worker has the step.
    """
    work = services.volume.storage.fetch(services.volume.work(lease.job_id))
    directory = services.volume.job(lease.job_id)
    parameters = ClassificationParameters(**lease.parameters)
    models = [services.models.get(model_id) for model_id in parameters.model]
    shards = services.leases.shard_outputs(lease.job_id)
    shard_paths = [work / shard["file"] for shard in shards]
    rows = read_shards(shard_paths)
    made = staging_directory(work, lease)
    detail, matched = services.jobs.get(lease.job_id).detail, None
    if (work / MANIFEST).exists():
        column = (detail.get("manifest") or {}).get("true_label_column")
        matched = match_manifest(rows, pl.read_ipc(work / MANIFEST), ClassNames(models[0].class_names), column)
        rows = matched.rows
        write_results(rows, made, check)
    else:
        write_results(rows, made, check, shard_paths)
    review = made / services.volume.review(lease.job_id).name
    preparation = preparation_for(parameters.normalize, parameters.polarity, models)
    write_review(services, lease, review, preparation, rows, shard_paths, check)
    summary = summarize(rows, models[0].class_names) | {
        "model": list(parameters.model),
        "class_names": list(models[0].class_names),
        "input": preparation.input.as_dict(),
        "review_below": review_threshold(models, parameters),
    }
    if parameters.shadow is not None:
        summary["shadow"] = summarize_shadow(rows, parameters.shadow)
    check()
    _write_pictures(services, lease, made, preparation, rows, summary)
    summary |= _run_figures(services, lease.job_id, shards)
    summary["accepted_error"] = accepted_error(summary["accepted_labeled"], summary["accepted_wrong"], parameters)
    summary["true_labels"] = about_true_labels(detail, matched.about if matched else None, summary["labeled"])
    all_reviewed = why_all_are_reviewed(models, parameters)
    summary["notes"] = [
        *([all_reviewed] if all_reviewed else []),
        *notes_of(summary),
        *preparation_notes(preparation, models),
    ]
    with atomic_write(made / "summary.json") as file:
        file.write(json.dumps(summary, indent=2).encode())
    commit_outputs(services.leases, lease, made, directory, services.volume.storage)
    services.leases.finish_job(lease, {name: value for name, value in summary.items() if name not in ONLY_IN_FILE})
    log.info("%d images, %d errors, %.1f s", summary["images"], summary["errors"], summary["seconds"])
    services.volume.delete_work(lease.job_id)


def _write_pictures(
    services: Services,
    lease: Lease,
    directory: Path,
    preparation: Preparation,
    rows: pl.LazyFrame,
    summary: dict[str, Any],
) -> None:
    work = services.volume.work(lease.job_id)
    with open_source(input_of(services.volume, lease.job_id, lease.parameters), work) as source:

        def read_pixels(numbers: Sequence[int]) -> Bytes:
            members = source.members(read_positions(work / INDEX, numbers))
            return read_pixels_of(source, members, preparation, services.settings.max_image_bytes)

        write_pictures(rows, summary, read_pixels, directory)


def _run_figures(services: Services, job_id: str, shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What was skipped, the time from the first claim, and the images per worker."""
    job = services.jobs.get(job_id)
    workers = Counter[str]()
    for shard in shards:
        workers[shard["worker"]] += shard["images"]
    now = services.clock()
    seconds = now - (job.started_at or job.created_at)
    # Count from the last retry: no worker had the job before it, perhaps for days.
    retry = job.detail.get("retry") or {"at": now - seconds, "done": 0}
    return {
        "pages": job.detail.get("pages", {}),
        "skipped": job.detail.get("skipped", 0),
        "skipped_kinds": job.detail.get("skipped_kinds", {}),
        "skipped_examples": job.detail.get("skipped_examples", {}),
        "seconds": round(seconds, 3),
        "images_per_second": round((job.total - retry["done"]) / max(now - retry["at"], MIN_SECONDS), 1),
        "workers": dict(workers),
    }
