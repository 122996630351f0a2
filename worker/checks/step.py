"""The step of a check: asks networks about images that they did not learn from, and lists labels that are suspected."""

import csv
import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.evaluation.label_errors import Suspect, suspected_errors
from tenfold.trainer.training.out_of_fold import FOLDS, out_of_fold_probabilities
from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.checks.suspects import FILE, TABLE, StoredSuspect
from tenfold.worker.classification.csv_cells import as_cell
from tenfold.worker.datasets.loading import load
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.outputs import commit_outputs, staging_directory
from tenfold.worker.services import Services
from tenfold.worker.storage.whole import atomic_write

log = logging.getLogger(__name__)

# Each fold must leave some images of a class to learn from.
MIN_IMAGES = 5 * FOLDS

METHOD = (
    f"Each image was judged by a small network that did not learn from it ({FOLDS} folds of training and test images "
    "together). Suspected are labels that confident learning (Northcutt et al. 2021) finds improbable, the clearest "
    "first. Rare but right images are among them: look before you change a label."
)


def check_labels(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Write the suspected label errors of a data set to `suspects.csv` and `suspects.json`.

    Raises:
        DatasetMissing: the data set has been deleted.
        DatasetInvalid: it is damaged, or has too few images.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker is stopping.
    """
    parameters = CheckParameters(**lease.parameters)
    dataset = load(services.volume, parameters.dataset)
    count = len(dataset.train_labels) + len(dataset.test_labels)
    if count < MIN_IMAGES:
        raise DatasetInvalid(f"The data set {dataset.name} has {count} images; a check needs at least {MIN_IMAGES}.")
    work = services.volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    made = staging_directory(work, lease)

    def report(done: float) -> None:
        check()
        services.live.publish(lease.job_id, lease.step_id, int(done * count))

    probabilities = out_of_fold_probabilities(dataset, report)
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    suspects = suspected_errors(probabilities, labels)
    _write_suspects(dataset, suspects, made)
    in_test = sum(suspect.index >= len(dataset.train_labels) for suspect in suspects)
    agreed = float((probabilities.argmax(axis=1) == labels).mean())
    summary = {
        "dataset": dataset.name,
        "content_sha256": dataset.content_sha256,
        "checked_images": count,
        "suspected_labels": len(suspects),
        "suspected_test_labels": in_test,
        "agreement": round(agreed, 6),
        "conclusion": _conclusion(dataset.name, count, len(suspects), in_test),
        "notes": [METHOD, *_doubts(agreed)],
    }
    commit_outputs(services.leases, lease, made, services.volume.job(lease.job_id), services.volume.storage)
    services.leases.finish_job(lease, summary)
    log.info("%s", summary["conclusion"])
    services.volume.delete_work(lease.job_id)


def _write_suspects(dataset: Dataset, suspects: Sequence[Suspect], directory: Path) -> None:
    """Write the suspects as JSON, and as a table for people."""
    first_test = len(dataset.train_labels)
    found = []
    for suspect in suspects:
        in_test = suspect.index >= first_test
        index = suspect.index - first_test * in_test
        label = (dataset.test_labels if in_test else dataset.train_labels)[index]
        names = (dataset.class_names[label], dataset.class_names[suspect.suggested])
        probabilities = (suspect.label_probability, suspect.suggested_probability)
        found.append(StoredSuspect("test" if in_test else "train", index, *names, *probabilities))
    rows = [asdict(each) for each in found]
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(StoredSuspect)], lineterminator="\n")
    table.writeheader()
    table.writerows({name: as_cell(v) if isinstance(v, str) else v for name, v in row.items()} for row in rows)
    for name, content in ((FILE, json.dumps(rows, ensure_ascii=False)), (TABLE, text.getvalue())):
        with atomic_write(directory / name) as file:
            file.write(content.encode())


def _conclusion(name: str, count: int, suspects: int, in_test: int) -> str:
    if not suspects:
        return f"No label of the {count:,} images of {name} is suspected to be wrong."
    are = "is" if suspects == 1 else "are"
    return (
        f"{suspects:,} of {count:,} labels of {name} {are} suspected to be wrong, {in_test:,} of them of test images."
    )


def _doubts(agreed: float) -> list[str]:
    if agreed >= 0.9:
        return []
    return [
        f"The networks agree with only {agreed:.1%} of the labels: the classes are hard for them, so expect many right "
        "labels among the suspected ones."
    ]
