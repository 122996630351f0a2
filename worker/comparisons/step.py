"""The step of a comparison: runs the models over the images, and writes who was right."""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import numpy.typing as npt

from tenfold.trainer.data.duplicates import digests
from tenfold.trainer.evaluation.selection import worth_after_looks
from tenfold.worker.comparisons.images import LabeledImages, open_classification, open_dataset
from tenfold.worker.comparisons.outcome import Answers, figures_of, notes_of, warnings_of
from tenfold.worker.comparisons.overlap import find_overlap
from tenfold.worker.comparisons.parameters import ComparisonParameters
from tenfold.worker.comparisons.submission import is_dataset
from tenfold.worker.comparisons.writing import write_answers, write_differences
from tenfold.worker.db.records import Model
from tenfold.worker.errors import WrongState
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.jobs.outputs import commit_outputs, staging_directory
from tenfold.worker.models.cache import load_ensemble
from tenfold.worker.models.leaderboard import count_scored
from tenfold.worker.services import Services
from tenfold.worker.storage.whole import atomic_write

log = logging.getLogger(__name__)

SUMMARY = "comparison.json"


def compare_models(services: Services, lease: Lease, check: Callable[[], None]) -> None:
    """Answer every labeled image with every model; write the answers, the differences and what may be concluded.

    Raises:
        UnknownModel, DatasetMissing, UnknownJob: a model or the images have been deleted.
        WrongState: no image can be read, or the images have changed.
        LeaseLost: the job was cancelled or another worker has the step.
        ShuttingDown: this worker is stopping.
    """
    parameters = ComparisonParameters(**lease.parameters)
    models = [services.models.get(model_id) for model_id in parameters.models]
    work = services.volume.work(lease.job_id)
    work.mkdir(exist_ok=True)
    made = staging_directory(work, lease)
    on = parameters.on or models[0].dataset
    dataset = on if is_dataset(services, on) else None
    with _opened(services, lease, on, dataset, check) as images:
        classes = list(dict.fromkeys([*images.classes, *(name for model in models for name in model.class_names)]))
        answers, places, hashed = _answer(services, lease, models, images, classes, check)
        numbers = {name: number for number, name in enumerate(classes)}
        labels = np.array([numbers[images.labels[place]] for place in places], np.int64)
        overlaps = [find_overlap(services, model, hashed[model.id], check) for model in models]
        write_answers(images, places, answers, labels, classes, made)
        differing = write_differences(images, places, answers, labels, classes, made, check)
        unreadable = {"unreadable": len(images.labels) - len(places)} if len(places) < len(images.labels) else {}
        left_out = images.left_out | unreadable
        notes = notes_of(models, overlaps, images.classes, left_out=left_out, corrected=images.corrected)
    summary = figures_of(answers, labels) | {
        "on": {"dataset": dataset} if dataset else {"classification": on},
        "differing": differing,
        "left_out": left_out,
        "corrected_labels": images.corrected,
        "warnings": warnings_of(models, dataset, overlaps, len(labels)),
        "notes": notes + _looks(services, dataset, answers, labels),
    }
    with atomic_write(made / SUMMARY) as file:
        file.write(json.dumps(summary, indent=2).encode())
    commit_outputs(services.leases, lease, made, services.volume.job(lease.job_id), services.volume.storage)
    services.leases.finish_job(lease, summary)
    log.info("%s", summary["conclusion"])
    services.volume.delete_work(lease.job_id)


def _opened(
    services: Services, lease: Lease, on: str, dataset: str | None, check: Callable[[], None]
) -> AbstractContextManager[LabeledImages]:
    return open_classification(services, lease, on, check) if dataset is None else open_dataset(services, dataset)


def _answer(
    services: Services,
    lease: Lease,
    models: Sequence[Model],
    images: LabeledImages,
    classes: Sequence[str],
    check: Callable[[], None],
) -> tuple[list[Answers], list[int], dict[str, list[bytes]]]:
    """The models' answers to the images that all could be given, those images' places, and by model's id the digests
    of its inputs.

    Raises:
        WrongState: no image can be read.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    total = services.jobs.get(lease.job_id).total
    share = total / (len(images.labels) * len(models))
    readable = np.ones((len(models), len(images.labels)), bool)
    found: list[Answers] = []
    hashed: dict[str, list[bytes]] = {}
    done = 0
    for at, model in enumerate(models):
        own = np.array([numbers[name] for name in model.class_names])
        ensemble = load_ensemble([model], services.volume).ensemble
        predictions = np.full(len(images.labels), -1, np.int64)
        confidences = np.zeros(len(images.labels), np.float32)
        hashed[model.id] = []
        for places, pixels in images.inputs(model.input):
            check()
            probabilities = ensemble.classify(pixels)
            predictions[places] = own[probabilities.argmax(axis=1)]
            confidences[places] = probabilities.max(axis=1)
            hashed[model.id] += digests(pixels)
            done += len(places)
            services.live.publish(lease.job_id, lease.step_id, int(done * share))
        readable[at] = predictions >= 0
        found.append(Answers(model, predictions, confidences))
    kept = np.flatnonzero(readable.all(axis=0))
    if not len(kept):
        raise WrongState("None of the labeled images can be read. Classify them again, and compare on that.")
    answers = [Answers(each.model, each.predictions[kept], each.confidences[kept]) for each in found]
    return answers, kept.tolist(), hashed


def _looks(
    services: Services, dataset: str | None, answers: Sequence[Answers], labels: npt.NDArray[np.int64]
) -> list[str]:
    """What the accuracies are worth after the models that were scored on these test images."""
    if dataset is None:
        return []
    best = max(float((each.predictions == labels).mean()) for each in answers)
    scored = count_scored(services.database, [dataset]).get(dataset, 0)
    note = worth_after_looks(dataset, scored, best, len(labels))
    return [note] if note else []
