"""Loads a data set for training: from the volume, where the known ones are put when they are first needed."""

import contextlib
import logging

from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.fetch import ensure_dataset
from tenfold.worker.storage.volume import Volume

log = logging.getLogger(__name__)


def load(volume: Volume, name: str) -> Dataset:
    """The data set of this name.

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
    return load_dataset(name, volume.datasets)
