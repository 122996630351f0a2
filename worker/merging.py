"""The last step of a classification: merge the shards into results, pictures and a summary."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from trainer.idx import Bytes
from trainer.naming.class_names import ClassNames
from worker.accepted_errors import accepted_error
from worker.classification import INDEX, MANIFEST
from worker.handing_in import hand_in, place_to_make
from worker.inputs import input_of
from worker.leases import Lease
from worker.manifest_matching import match_manifest
from worker.notes import notes_of
from worker.parameters import ClassificationParameters
from worker.preparing import Preparation, preparation_for, preparation_notes
from worker.reading import pixels_of
from worker.result_pictures import write_pictures
from worker.results import read_shards, write_results
from worker.review_writing import write_review
from worker.services import Services
from worker.sources import open_source, read_places
from worker.storage.whole import write_whole
from worker.summary import summarise
from worker.thresholds import review_threshold, why_all_are_reviewed
from worker.truth import about_truth

log = logging.getLogger(__name__)

# As fast as a clock can be told to have gone on.
SHORTEST_SECONDS = 0.001

# What `summary.json` has and the job's row has not: everyone who waits for the job reads the row again and again.
ONLY_IN_FILE = ("confusion", "worst_mistakes", "class_names")


def merge(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Join the shards in the archive's order.

    Makes `results.csv`, `results.jsonl`, `results.parquet`, the pictures of `result_pictures`, and `summary.json`, and
    hands them in together.

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
    made = place_to_make(work, lease)
    detail, matched = services.jobs.get(lease.job_id).detail, None
    if (work / MANIFEST).exists():
        column = (detail.get("manifest") or {}).get("truth_column")
        matched = match_manifest(rows, pl.read_ipc(work / MANIFEST), ClassNames(models[0].class_names), column)
        rows = matched.rows
        write_results(rows, made, check)
    else:
        write_results(rows, made, check, shard_paths)
    review = made / services.volume.review(lease.job_id).name
    preparation = preparation_for(parameters, models)
    write_review(services, lease, review, preparation, rows, shard_paths, check)
    summary = summarise(rows, models[0].class_names) | {
        "model": list(parameters.model),
        "class_names": list(models[0].class_names),
        "input": preparation.input.as_dict(),
        "review_below": review_threshold(models, parameters),
    }
    check()
    _write_pictures(services, lease, made, preparation, rows, summary)
    summary |= _course(services, lease.job_id, shards)
    summary["accepted_error"] = accepted_error(summary["accepted_labelled"], summary["accepted_wrong"], parameters)
    summary["truth"] = about_truth(detail, matched.about if matched else None, summary["labelled"])
    all_reviewed = why_all_are_reviewed(models, parameters)
    summary["notes"] = [
        *([all_reviewed] if all_reviewed else []),
        *notes_of(summary),
        *preparation_notes(preparation, models),
    ]
    with write_whole(made / "summary.json") as file:
        file.write(json.dumps(summary, indent=2).encode())
    hand_in(services.leases, lease, made, directory, services.volume.storage)
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
            members = source.members(read_places(work / INDEX, numbers))
            return pixels_of(source, members, preparation, services.settings.max_image_bytes)

        write_pictures(rows, summary, read_pixels, directory)


def _course(services: Services, job_id: str, shards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How the work went: what was skipped, how long it took from the first claim, and who did how many images."""
    job = services.jobs.get(job_id)
    workers = Counter[str]()
    for shard in shards:
        workers[shard["worker"]] += shard["images"]
    now = services.clock()
    seconds = now - (job.started_at or job.created_at)
    # Before a retry nobody worked on it, perhaps for days.
    retry = job.detail.get("retry") or {"at": now - seconds, "done": 0}
    return {
        "pages": job.detail.get("pages", {}),
        "skipped": job.detail.get("skipped", 0),
        "skipped_kinds": job.detail.get("skipped_kinds", {}),
        "skipped_examples": job.detail.get("skipped_examples", {}),
        "seconds": round(seconds, 3),
        "images_per_second": round((job.total - retry["done"]) / max(now - retry["at"], SHORTEST_SECONDS), 1),
        "workers": dict(workers),
    }
