"""Loads a data set for training: from the volume, where the known ones are put when they are first needed."""

import contextlib
import logging
from pathlib import Path

from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.trainer.data.fetch import ensure_dataset
from tenfold.trainer.data.files import ABOUT, read_about, written_about
from tenfold.worker.storage.volume import Volume
from tenfold.worker.storage.whole import atomic_write

log = logging.getLogger(__name__)


def load(volume: Volume, name: str) -> Dataset:
    """The data set of this name. Its content hash is recorded if an earlier version has imported it without.

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
        _record_content(volume, directory, dataset)
    return dataset


def _record_content(volume: Volume, directory: Path, dataset: Dataset) -> None:
    about = read_about(directory)
    if "content_sha256" in about:
        return
    content = dataset.content_sha256
    try:
        if read_about(directory) == about:  # else the data set was replaced meanwhile
            with atomic_write(directory / ABOUT) as file:
                file.write(written_about(about | {"content_sha256": content}))
            volume.storage.publish(directory)
    except OSError as error:
        log.warning("The content hash of the data set %s could not be recorded: %s", dataset.name, error)
