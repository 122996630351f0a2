"""Finds images of a comparison that a model was trained on, by their pixels: whatever way they got there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.duplicates import digests
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.datasets.loading import load
from tenfold.worker.db.records import Model
from tenfold.worker.errors import UnknownDataset, UnknownModel
from tenfold.worker.services import Services
from tenfold.worker.storage.volume import Volume

# In the metrics of a model made elsewhere, whose `dataset` is what it was checked on.
ORIGIN = "origin"

# Images hashed between two calls of `check`: about 20 ms.
CHECKED_IMAGES = 10_000


@dataclass(frozen=True)
class Overlap:
    """How many compared images a model was trained on, as far as is known.

    `unknown` says, as parts of sentences, which of its training images could not be looked at.
    """

    images: int
    unknown: tuple[str, ...]


def find_overlap(services: Services, model: Model, compared: Iterable[bytes], check: Callable[[], None]) -> Overlap:
    """Look for these images in the training images of the model, and of those that it was fine-tuned from.

    Args:
        compared: their digests, as the model's input.
        check: called now and then; may raise to stop.
    """
    known: set[bytes] = set()
    unknown = []
    for trained_on in _data_of(services, model):
        images = None if trained_on is None else _training_images(services.volume, trained_on, model.input.images)
        if trained_on is None:
            unknown.append("a model made elsewhere doesn't say what it was trained on")
        elif images is None:
            unknown.append(f"the data set {trained_on} is not on the volume, or not as it was")
        else:
            for start in range(0, len(images), CHECKED_IMAGES):
                check()
                known.update(digests(images[start : start + CHECKED_IMAGES]))
    return Overlap(sum(digest in known for digest in compared), tuple(unknown))


def _data_of(services: Services, model: Model) -> list[str | None]:
    """The data sets that the model and its ancestors were trained on; None for a model made elsewhere."""
    datasets = [None if ORIGIN in model.metrics else model.dataset]
    for ancestor in model.metrics.get("ancestors", []):
        try:
            elsewhere = ORIGIN in services.models.get(ancestor["id"]).metrics
        except UnknownModel:
            elsewhere = False
        datasets.append(None if elsewhere else ancestor["dataset"])
    return list(dict.fromkeys(datasets))


def _training_images(volume: Volume, name: str, images: InputSpec) -> Bytes | None:
    """None if the data set is not on the volume, or has other images than the model takes."""
    try:
        entry = get_dataset(volume, name)
    except UnknownDataset:
        return None
    dataset = load(volume, name) if entry.ready else None
    return dataset.train_images if dataset is not None and dataset.input.images == images else None
