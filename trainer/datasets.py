"""Data sets on the volume: a folder each, with the four IDX files of MNIST's layout, and what the classes are called.

The names are in `about.json`; a data set without that file is one of digits.
"""

from dataclasses import dataclass
from pathlib import Path

from trainer.dataset_files import DIGITS, FILES, read_about
from trainer.errors import DatasetInvalid, DatasetMissing
from trainer.idx import Bytes, read_idx
from trainer.known import KNOWN


@dataclass(frozen=True)
class Dataset:
    """Grey images, 0 for paper to 255 for ink, and the index of each one's class.

    `train_images` (n, 28, 28) uint8, `train_labels` (n,) uint8; `test_images` and `test_labels` likewise.
    """

    name: str
    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    class_names: tuple[str, ...] = DIGITS

    def head(self, train: int, test: int) -> "Dataset":
        """The first `train` and `test` images, for a quick look."""
        return Dataset(
            self.name,
            self.train_images[:train],
            self.train_labels[:train],
            self.test_images[:test],
            self.test_labels[:test],
            self.class_names,
        )


def load_dataset(name: str, root: Path) -> Dataset:
    """The data set in `root/name`.

    Raises:
        DatasetMissing: a file is not there.
        DatasetInvalid: a file is damaged, or images, labels and class names do not fit.
    """
    directory = root / name
    missing = [file for file in FILES if not (directory / file).is_file()]
    if missing:
        remedy = f"Fetch it: python -m trainer.fetch {name} --root {root}" if name in KNOWN else "Upload it again."
        raise DatasetMissing(f"{directory} lacks {', '.join(missing)}. {remedy}")
    class_names = tuple(read_about(directory)["class_names"])
    train_images, train_labels, test_images, test_labels = (read_idx(directory / file) for file in FILES)
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
            raise DatasetInvalid(
                f"{directory}: images of shape {images.shape} and labels of shape {labels.shape} do not fit; "
                "expected (n, 28, 28) and (n,)."
            )
        if labels.size and labels.max() >= len(class_names):
            raise DatasetInvalid(
                f"{directory}: label {labels.max()} is out of range; labels are 0 to {len(class_names) - 1}."
            )
    return Dataset(name, train_images, train_labels, test_images, test_labels, class_names)
