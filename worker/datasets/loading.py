"""Loads a data set for training: from the volume, where the known ones are put when they are first needed."""

import contextlib
import logging
from pathlib import Path

from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.fetch import ensure_dataset
from tenfold.trainer.data.files import ABOUT, PREVIEW, read_about, written_about
from tenfold.trainer.data.preview import plot_samples
from tenfold.worker.storage.volume import Volume
from tenfold.worker.storage.whole import atomic_write

log = logging.getLogger(__name__)


def load(volume: Volume, name: str) -> Dataset:
    """The data set of this name. What is missing of its content hash and preview is written.

    Raises:
        DatasetMissing: there is none, or it can be had from nowhere.
        DatasetInvalid: it is damaged.
    """
    directory = volume.storage.fetch(volume.dataset(name), may_change=True)
    if name in BUILTIN_DATASETS:
        there = directory.exists()
        ensure_dataset(name, volume.datasets, report=log.info)
        if not there:
            with contextlib.suppress(FileExistsError):  # another worker was first, with the same files
                volume.storage.publish(directory, replace=False)
    dataset = load_dataset(name, volume.datasets)
    if name not in BUILTIN_DATASETS:
        _complete(volume, directory, dataset)
    return dataset


def _complete(volume: Volume, directory: Path, dataset: Dataset) -> None:
    """Write what needs the images: the content hash, and the preview of a version that the web made."""
    about = read_about(directory)
    hashed = "content_sha256" in about
    drawn = (directory / PREVIEW).exists() or "made_from" not in (about.get("report") or {})
    if hashed and drawn:
        return
    complete = about | {"content_sha256": dataset.content_sha256}
    try:
        if read_about(directory) != about:
            return  # the data set was replaced meanwhile
        if not drawn:
            with atomic_write(directory / PREVIEW) as file:
                plot_samples(dataset, file)
        if not hashed:
            with atomic_write(directory / ABOUT) as file:
                file.write(written_about(complete))
        volume.storage.publish(directory)
    except OSError as error:
        log.warning("The data set %s could not be completed: %s", dataset.name, error)
