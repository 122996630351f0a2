"""Reads and writes data sets: four IDX files in a folder, with the class names in `about.json` (see `files.py`).

Format: "THE IDX FILE FORMAT" on Yann LeCun's MNIST page. Only unsigned bytes, as in MNIST.
"""

import hashlib
import struct
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.files import DIGITS, FILES, read_about
from tenfold.trainer.errors import DatasetInvalid, DatasetMissing
from tenfold.trainer.images.normalization.as_is import are_mnist
from tenfold.trainer.input_spec import DIGIT, InputSpec

# For data sets that do not record their input: all images that the normalizer produces are in MNIST's format, as are
# MNIST's own, and none of Fashion-MNIST's.
MOSTLY_IN_FORMAT = 0.9


@dataclass(frozen=True)
class Dataset:
    """Gray images, from 0 for paper to 255 for ink, and their class indices.

    `train_images` (n, 28, 28) uint8, `train_labels` (n,) uint8; `test_images` and `test_labels` likewise. `input` says
    how an image is converted to this format.
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
        """The hash of the four IDX files, concatenated in the order of `FILES`."""
        digest = hashlib.sha256()
        for values in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(idx_header(values))
            digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()

    def head(self, train: int, test: int) -> "Dataset":
        """The first `train` training and `test` test images, for a quick trial."""
        return replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )


def load_dataset(name: str, root: Path) -> Dataset:
    """Load the data set in `root/name`.

    Raises:
        DatasetMissing: a file is missing.
        DatasetInvalid: a file is damaged, or images, labels and class names do not match.
        InputUnsupported: it needs an input that this version doesn't support.
    """
    directory = root / name
    missing = [file for file in FILES if not (directory / file).is_file()]
    if missing:
        remedy = (
            f"Download it: python -m tenfold.trainer.data.fetch {name} --root {root}"
            if name in BUILTIN_DATASETS
            else "Upload it again."
        )
        raise DatasetMissing(f"{directory} lacks {', '.join(missing)}. {remedy}")
    about = read_about(directory)
    class_names = tuple(about["class_names"])
    train_images, train_labels, test_images, test_labels = (read_idx(directory / file) for file in FILES)
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if images.ndim != 3 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
            raise DatasetInvalid(
                f"{directory}: images of shape {images.shape} and labels of shape {labels.shape} do not match; "
                "expected (n, 28, 28) and (n,)."
            )
        if labels.size and labels.max() >= len(class_names):
            raise DatasetInvalid(
                f"{directory}: label {labels.max()} is out of range; labels are 0 to {len(class_names) - 1}."
            )
    if name in BUILTIN_DATASETS:
        spec = BUILTIN_DATASETS[name].input
    else:
        spec = InputSpec.read(about["input"]) if "input" in about else _measured_input(train_images)
    return Dataset(name, train_images, train_labels, test_images, test_labels, class_names, spec)


def _measured_input(images: Bytes) -> InputSpec:
    """The input of a data set that doesn't record it, judged by its images."""
    share = float(are_mnist(images).mean()) if len(images) else 0.0
    found = f"Not recorded, so judged by the images: {share:.1%} of them are in MNIST's format."
    return InputSpec("digit" if share >= MOSTLY_IN_FORMAT else "resize", reason=found)


UNSIGNED_BYTE = 0x08


def read_idx(path: Path) -> Bytes:
    """The array in an IDX file of unsigned bytes.

    Raises:
        DatasetInvalid: it is not such a file, or its size differs from its header.
    """
    data = path.read_bytes()
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != UNSIGNED_BYTE:
        raise DatasetInvalid(f"{path} is not an IDX file of unsigned bytes; delete it, so that it is downloaded again.")
    dimensions = data[3]
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise DatasetInvalid(f"{path} ends within its header; delete it, so that it is downloaded again.")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    values = np.frombuffer(data, np.uint8, offset=start)
    if values.size != np.prod(shape, dtype=np.int64):
        raise DatasetInvalid(
            f"{path} holds {values.size} values, its header says {shape}; delete it, so that it is downloaded again."
        )
    return values.reshape(shape)


def write_idx(path: Path, values: Bytes) -> None:
    """Write an array of unsigned bytes, of any shape up to 255 dimensions."""
    path.write_bytes(idx_header(values) + values.tobytes())


def idx_header(values: Bytes) -> bytes:
    """The header of the file for these values."""
    return bytes([0, 0, UNSIGNED_BYTE, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
