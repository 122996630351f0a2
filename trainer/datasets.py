"""Data sets on the volume: a folder each, with the four IDX files of MNIST's layout, and what the classes are called.

The names are in `about.json`; a data set without that file is one of digits.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from trainer.dataset_files import DIGITS, FILES, read_about
from trainer.errors import DatasetInvalid, DatasetMissing
from trainer.idx import Bytes, idx_header, read_idx
from trainer.input_spec import DIGIT, InputSpec
from trainer.known import KNOWN
from trainer.normalisation.as_is import are_mnist

# A data set that was imported before its input was recorded: all images that the normalizer has made are in MNIST's
# form, as are MNIST's own; of Fashion-MNIST's not one is.
MOSTLY_IN_FORM = 0.9


@dataclass(frozen=True)
class Dataset:
    """Grey images, 0 for paper to 255 for ink, and the index of each one's class.

    `train_images` (n, 28, 28) uint8, `train_labels` (n,) uint8; `test_images` and `test_labels` likewise. `input` is
    how a picture becomes such an image.
    """

    name: str
    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes
    class_names: tuple[str, ...] = DIGITS
    input: InputSpec = DIGIT

    @cached_property
    def sha256(self) -> str:
        """Of the content: that of the four IDX files, one after the other in the order of `FILES`."""
        digest = hashlib.sha256()
        for values in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(idx_header(values))
            digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()

    def head(self, train: int, test: int) -> "Dataset":
        """The first `train` and `test` images, for a quick look."""
        return replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )


def load_dataset(name: str, root: Path) -> Dataset:
    """The data set in `root/name`.

    Raises:
        DatasetMissing: a file is not there.
        DatasetInvalid: a file is damaged, or images, labels and class names do not fit.
        InputUnsupported: it is one of a later version, with an input that this one can't make.
    """
    directory = root / name
    missing = [file for file in FILES if not (directory / file).is_file()]
    if missing:
        remedy = f"Fetch it: python -m trainer.fetch {name} --root {root}" if name in KNOWN else "Upload it again."
        raise DatasetMissing(f"{directory} lacks {', '.join(missing)}. {remedy}")
    about = read_about(directory)
    class_names = tuple(about["class_names"])
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
    if name in KNOWN:
        spec = KNOWN[name].input
    else:
        spec = InputSpec.read(about["input"]) if "input" in about else _measured_input(train_images)
    return Dataset(name, train_images, train_labels, test_images, test_labels, class_names, spec)


def _measured_input(images: Bytes) -> InputSpec:
    """What makes such images, where the data set doesn't say."""
    share = float(are_mnist(images).mean()) if len(images) else 0.0
    found = f"Measured on its images, since the data set doesn't say: {share:.1%} of them are in MNIST's form."
    return InputSpec("digit" if share >= MOSTLY_IN_FORM else "resize", reason=found)
