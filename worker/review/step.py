"""The step of a review: merge the corrections into the classification's results, and make a data set of them."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tenfold.trainer.arrays import label_type
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.importing import Imported, extend_dataset
from tenfold.trainer.images import read_image
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.classification.results import ROWS, current_rows, write_results
from tenfold.worker.classification.review_queue.queue import Item, ReviewQueue
from tenfold.worker.datasets.datasets import check_usable
from tenfold.worker.datasets.loading import load
from tenfold.worker.datasets.publishing import dataset_summary, is_published, publish, unpublish_if_abandoned
from tenfold.worker.db.records import Correction
from tenfold.worker.errors import LeaseLost, WrongState
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.outputs import commit_outputs, staging_directory
from tenfold.worker.models.preparing import prepared_as
from tenfold.worker.review.corrections import NONE_OF_THESE
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.review.reviews import class_names, differing_input, open_queue, reviewable
from tenfold.worker.services import Services

log = logging.getLogger(__name__)

# The last column of the results: the corrected class, NONE_OF_THESE, or null if not reviewed.
CORRECTED = "corrected"
RESULTS = "results.parquet"


def merge_corrections(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Rewrite the results of the classification with a column `corrected`, and publish the data set asked for, if any.

    Uses the corrections made before the step started. If an earlier attempt of the job has published the data set, this
    one continues from there.

    Raises:
        UnknownJob, WrongState: the classification has been deleted, or cannot be reviewed.
        DatasetInvalid: too few images were corrected for a data set of their own.
        DatasetNameTaken: another job published a data set of this name first.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker is stopping.
    """
    parameters = ReviewParameters(**lease.parameters)
    classification = reviewable(services, parameters.classification)
    corrections = services.corrections.list(classification.id)
    with open_queue(services, classification.id) as queue:
        items = list(queue.find_all(correction.row for correction in corrections))
        name, imported = parameters.dataset, None
        if name and not is_published(services, lease.job_id, name):
            base = _load_base(services, parameters.together_with)
            known, spec = class_names(services, classification), prepared_as(classification).images
            imported = _dataset_of(name, known, spec, corrections, queue, base)
    # The corrections are valid.
    work = services.volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    made = staging_directory(work, lease)
    storage, directory = services.volume.storage, services.volume.job(classification.id)
    with storage.at_work(directory):
        storage.fetch(directory / RESULTS, may_change=True)
        _write_corrected(directory, made, corrections, check)
        commit_outputs(services.leases, lease, made, directory, storage)
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
    rows = current_rows(pl.scan_parquet(directory / RESULTS)).drop(CORRECTED, strict=False)
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
    if base is not None and base.input.images != spec:
        raise WrongState(differing_input(base.name, base.input, spec))
    if base is not None and base.class_names != known:
        raise WrongState(
            f"The data set {base.name} has different classes from the model: {', '.join(base.class_names[:20])}. "
            "Choose one with the same classes, in the same order."
        )
    labeled = [(correction.row, correction.label) for correction in corrections if correction.label is not None]
    pictures = [(queue.picture(row, model_input=True), label) for row, label in labeled]
    kept = [(picture, label) for picture, label in pictures if picture is not None]
    notes = []
    if len(kept) < len(labeled):
        notes.append(
            f"Left out, since they have no stored pictures: {len(labeled) - len(kept):,} corrected images. "
            "See the setting TENFOLD_MAX_REVIEW_IMAGES."
        )
    color = spec.channels == 3
    pixels = np.array([read_image(picture, color=color) for picture, _ in kept], np.uint8).reshape(-1, *spec.shape)
    labels = np.array([known.index(label) for _, label in kept], label_type(len(known)))
    return extend_dataset(name, known, pixels, labels, spec, base, warnings=notes)


def _load_base(services: Services, name: str | None) -> Dataset | None:
    if name is None:
        return None
    check_usable(services.volume, name)
    return load(services.volume, name)


def _summary(corrections: Sequence[Correction], items: Sequence[Item]) -> dict[str, Any]:
    answers = {item.row: item.prediction for item in items}
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
