"""The one step of a review: put the corrections into the classification's results, and make a data set of them."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trainer.datasets import Dataset
from trainer.images import SIDE, read_image
from trainer.importing import Imported, extend_dataset
from trainer.input_spec import InputSpec
from worker.corrections import NONE_OF_THESE
from worker.datasets import check_usable
from worker.errors import LeaseLost, WrongState
from worker.handing_in import hand_in, place_to_make
from worker.leases import Lease
from worker.loading import load
from worker.parameters import ReviewParameters
from worker.preparing import prepared_as
from worker.publishing import dataset_summary, is_published, publish, unpublish_if_abandoned
from worker.records import Correction
from worker.results import ROWS, write_results
from worker.review_queue import Item, ReviewQueue
from worker.reviews import class_names, differing_input, open_queue, reviewable
from worker.services import Services

log = logging.getLogger(__name__)

# The last column of the results: the class that a person gave, NONE_OF_THESE, or null where nobody looked.
CORRECTED = "corrected"
RESULTS = "results.parquet"


def merge_corrections(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Rewrite the results of the classification with a column `corrected`, and publish the data set asked for, if any.

    What was corrected when the step began counts. An attempt that finds the data set published by an earlier attempt
    of the same job goes on from there.

    Raises:
        UnknownJob, WrongState: the classification has been deleted, or cannot be reviewed.
        DatasetInvalid: too few images were corrected for a data set of their own.
        DatasetNameTaken: another job published a data set of this name first.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker was told to stop.
    """
    parameters = ReviewParameters(**lease.parameters)
    classification = reviewable(services, parameters.classification)
    corrections = services.corrections.list(classification.id)
    with open_queue(services, classification.id) as queue:
        items = list(queue.find_all(correction.row for correction in corrections))
        name, imported = parameters.dataset, None
        if name and not is_published(services, lease.job_id, name):
            base = _load_base(services, parameters.together_with)
            known, spec = class_names(services, classification), prepared_as(classification)
            imported = _dataset_of(name, known, spec, corrections, queue, base)
    # Now that nothing is wrong with the corrections.
    work = services.volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    made = place_to_make(work, lease)
    storage, directory = services.volume.storage, services.volume.job(classification.id)
    with storage.at_work(directory):
        storage.fetch(directory / RESULTS, may_change=True)
        _write_corrected(directory, made, corrections, check)
        hand_in(services.leases, lease, made, directory, storage)
    services.volume.delete_work(lease.job_id)
    if imported is not None:
        publish(services, lease, imported, check)
    summary = _summary(corrections, items) | {"classification": classification.id, "dataset": None}
    if name:
        summary["dataset"] = dataset_summary(services, name)
    try:
        services.leases.finish_job(lease, summary)
    except LeaseLost:
        if name:
            unpublish_if_abandoned(services, lease.job_id, name)
        raise
    log.info("%d corrections in the results of %s", len(corrections), classification.id)


def _write_corrected(directory: Path, made: Path, corrections: Sequence[Correction], check: Callable[[], None]) -> None:
    """The results in `directory`, with the corrections, into `made`."""
    corrected = pl.LazyFrame(
        {
            "row": [correction.row for correction in corrections],
            CORRECTED: [_as_value(correction.label) for correction in corrections],
        },
        schema={"row": ROWS["row"], CORRECTED: pl.String},
    )
    rows = pl.scan_parquet(directory / RESULTS).drop(CORRECTED, strict=False)
    write_results(rows.join(corrected, on="row", how="left", maintain_order="left"), made, check)


def _dataset_of(
    name: str,
    known: Sequence[str],
    spec: InputSpec,
    corrections: Sequence[Correction],
    queue: ReviewQueue,
    base: Dataset | None,
) -> Imported:
    """Of the images that show one of the classes, as the model saw them."""
    if base is not None and base.input != spec:
        raise WrongState(differing_input(base.name, base.input, spec))
    if base is not None and base.class_names != known:
        raise WrongState(
            f"The data set {base.name} has other classes than the model: {', '.join(base.class_names[:20])}. "
            "Choose one with the same classes, in the same order."
        )
    labelled = [(correction.row, correction.label) for correction in corrections if correction.label is not None]
    pictures = [(queue.picture(row, seen_by_model=True), label) for row, label in labelled]
    kept = [(picture, label) for picture, label in pictures if picture is not None]
    notes = []
    if len(kept) < len(labelled):
        notes.append(
            f"Left out, since no pictures of them are kept: {len(labelled) - len(kept):,} corrected images. "
            "See the setting TENFOLD_MAX_REVIEW_IMAGES."
        )
    pixels = np.array([read_image(picture) for picture, _ in kept], np.uint8).reshape(-1, SIDE, SIDE)
    labels = np.array([known.index(label) for _, label in kept], np.uint8)
    return extend_dataset(name, known, pixels, labels, spec, base, notes=notes)


def _load_base(services: Services, name: str | None) -> Dataset | None:
    if name is None:
        return None
    check_usable(services.volume, name)
    return load(services.volume, name)


def _summary(corrections: Sequence[Correction], items: Sequence[Item]) -> dict[str, Any]:
    answers = {item.row: item.label for item in items}
    confirmed = sum(answers.get(correction.row) == correction.label for correction in corrections)
    none = sum(correction.label is None for correction in corrections)
    return {
        "reviewed": len(corrections),
        "confirmed": confirmed,
        "changed": len(corrections) - confirmed - none,
        "none_of_these": none,
    }


def _as_value(label: str | None) -> str:
    return NONE_OF_THESE if label is None else label
