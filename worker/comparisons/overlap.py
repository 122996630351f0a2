"""Finds images of a comparison that a model was trained on, by their pixels: whatever way they got there."""

from collections.abc import Callable, Iterable
from hashlib import blake2b

from tenfold.trainer.arrays import Bytes
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.datasets.loading import load
from tenfold.worker.db.records import Model
from tenfold.worker.errors import UnknownDataset
from tenfold.worker.storage.volume import Volume

# Two different images have the same digest with a chance of 1 in 10^19.
DIGEST_BYTES = 8

# Images hashed between two calls of `check`: about 20 ms.
CHECKED_IMAGES = 10_000


def digests(images: Bytes) -> list[bytes]:
    """The digest of each image's pixels; images (n, …) uint8."""
    return [blake2b(image.tobytes(), digest_size=DIGEST_BYTES).digest() for image in images]


def trained_on(volume: Volume, model: Model, compared: Iterable[bytes], check: Callable[[], None]) -> int | None:
    """How many of these images are among the training images of the model's data set.

    Args:
        compared: their digests, as the model's input.
        check: called now and then; may raise to stop.

    Returns:
        None if the data set is not on the volume, or its images are made differently now.
    """
    try:
        entry = get_dataset(volume, model.dataset)
    except UnknownDataset:
        return None
    if not entry.ready:
        return None
    dataset = load(volume, model.dataset)
    if dataset.input.images != model.input.images:
        return None
    known: set[bytes] = set()
    for start in range(0, len(dataset.train_images), CHECKED_IMAGES):
        check()
        known.update(digests(dataset.train_images[start : start + CHECKED_IMAGES]))
    return sum(digest in known for digest in compared)
