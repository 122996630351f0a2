"""Compares two data sets on the volume, and opens single images of one."""

from dataclasses import dataclass
from pathlib import Path

from tenfold.trainer.data.catalog import DatasetEntry
from tenfold.trainer.data.differences import Differences, find_differences
from tenfold.trainer.data.files import FILES
from tenfold.trainer.data.stored import Part, StoredPart
from tenfold.worker.datasets.datasets import get_dataset
from tenfold.worker.errors import WrongState
from tenfold.worker.storage.volume import Volume

# Of both data sets together: some seconds.
MAX_BYTES = 2**31


@dataclass(frozen=True)
class Compared:
    """Two data sets and what differs between their images."""

    a: DatasetEntry
    b: DatasetEntry
    differences: Differences


def compare_datasets(volume: Volume, a: str, b: str) -> Compared:
    """What differs between two data sets.

    Raises:
        UnknownDataset: there is no data set of this name.
        WrongState: one is not on the volume or damaged, or they are too large.
    """
    entry_a, entry_b = get_dataset(volume, a), get_dataset(volume, b)
    directory_a, directory_b = _directory(volume, entry_a), _directory(volume, entry_b)
    check_size(directory_a, directory_b)
    found = find_differences(directory_a, directory_b, entry_a.class_names, entry_b.class_names)
    return Compared(entry_a, entry_b, found)


def check_size(*directories: Path) -> None:
    """Refuse to read data sets, in a web request, that would take more than seconds.

    Raises:
        WrongState: they have more than `MAX_BYTES` together.
    """
    size = sum((directory / file).stat().st_size for directory in directories for file in FILES)
    if size > MAX_BYTES:
        raise WrongState(
            f"{' and '.join(directory.name for directory in directories)} have {size / 2**30:.1f} GiB of images; at "
            f"most {MAX_BYTES / 2**30:.0f} GiB are read here."
        )


def open_images(volume: Volume, name: str, part: Part) -> StoredPart:
    """The training or test images of a data set.

    Raises:
        UnknownDataset: there is no data set of this name.
        WrongState: it is not on the volume, or damaged.
    """
    return StoredPart(_directory(volume, get_dataset(volume, name)), part)


def _directory(volume: Volume, entry: DatasetEntry) -> Path:
    if not entry.ready:
        reason = "It is not downloaded yet; the first training downloads it." if entry.builtin else entry.warnings[0]
        raise WrongState(f"The images of the data set {entry.name} cannot be read. {reason}")
    return volume.storage.fetch(volume.dataset(entry.name), may_change=True)
