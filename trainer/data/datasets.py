"""Reads and writes data sets: four IDX files in a folder, with the class names in `about.json` (see `files.py`).

Format: "THE IDX FILE FORMAT" on Yann LeCun's MNIST page. Unsigned bytes as in MNIST, images in color with a fourth
dimension; labels of more than 256 classes are 16-bit integers.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tenfold.trainer.arrays import Bytes, Labels
from tenfold.trainer.data.catalog import BUILTIN_DATASETS
from tenfold.trainer.data.content import content_sha256
from tenfold.trainer.data.files import DIGITS, FILES, SHORT, UNSIGNED_BYTE, read_about
from tenfold.trainer.errors import DatasetInvalid, DatasetMissing
from tenfold.trainer.images.normalization.as_is import are_mnist
from tenfold.trainer.input_spec import DIGIT, InputSpec

# For data sets that do not record their input: all images that the normalizer produces are in MNIST's format, as are
# MNIST's own, and none of Fashion-MNIST's.
MOSTLY_IN_FORMAT = 0.9


@dataclass(frozen=True)
class Dataset:
    """Images and their class indices.

    `train_images` (n, *input.shape) uint8, `train_labels` (n,) uint8, or int32 for more than 256 classes; `test_images`
    and `test_labels` likewise. `input` says how an image is converted to this format.
    """

    name: str
    train_images: Bytes
    train_labels: Labels
    test_images: Bytes
    test_labels: Labels
    class_names: tuple[str, ...] = DIGITS
    input: InputSpec = DIGIT

    @cached_property
    def content_sha256(self) -> str:
        """The hash of `content.content_sha256`, the same for the same content under any name."""
        return content_sha256(self.files_sha256, self.class_names, self.input)

    @cached_property
    def files_sha256(self) -> str:
        """The hash of the four IDX files, concatenated in the order of `FILES`."""
        digest = hashlib.sha256()
        for values in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(idx_header(values))
            digest.update(np.ascontiguousarray(_stored(values)).data)
        return digest.hexdigest()

    def is_data_of(self, metrics: Mapping[str, Any]) -> bool:
        """Whether a model with these metrics was trained on this content; earlier versions did not always record it."""
        content, files = metrics.get("content_sha256"), metrics.get("data_sha256")
        return content == self.content_sha256 if content else files in (None, self.files_sha256)

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
    if name in BUILTIN_DATASETS:
        spec = BUILTIN_DATASETS[name].input
    else:
        spec = InputSpec.read(about["input"]) if "input" in about else _measured_input(train_images)
    for images, labels in ((train_images, train_labels), (test_images, test_labels)):
        if images.dtype != np.uint8 or images.shape[1:] != spec.shape or labels.shape != images.shape[:1]:
            raise DatasetInvalid(
                f"{directory}: images of shape {images.shape} and labels of shape {labels.shape} do not match; "
                f"expected (n, {', '.join(map(str, spec.shape))}) and (n,)."
            )
        if labels.size and labels.max() >= len(class_names):
            raise DatasetInvalid(
                f"{directory}: label {labels.max()} is out of range; labels are 0 to {len(class_names) - 1}."
            )
    return Dataset(name, train_images, train_labels, test_images, test_labels, class_names, spec)


def _measured_input(images: Bytes) -> InputSpec:
    """The input of a data set that doesn't record it, judged by its images."""
    share = float(are_mnist(images).mean()) if len(images) and images.shape[1:] == DIGIT.shape else 0.0
    found = f"Not recorded, so judged by the images: {share:.1%} of them are in MNIST's format."
    return InputSpec("digit" if share >= MOSTLY_IN_FORMAT else "resize", reason=found)


TYPES: dict[int, np.dtype[Any]] = {UNSIGNED_BYTE: np.dtype(np.uint8), SHORT: np.dtype(">i2")}


def read_idx(path: Path) -> npt.NDArray[Any]:
    """The array in an IDX file: uint8, or int32 from a file of 16-bit integers.

    Raises:
        DatasetInvalid: it is not such a file, or its size differs from its header.
    """
    data = path.read_bytes()
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in TYPES:
        raise DatasetInvalid(
            f"{path} is not an IDX file of bytes or 16-bit integers; delete it, so that it is downloaded again."
        )
    dimensions = data[3]
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise DatasetInvalid(f"{path} ends within its header; delete it, so that it is downloaded again.")
    shape = struct.unpack(f">{dimensions}I", data[4:start])
    kind = TYPES[data[2]]
    if len(data) - start != np.prod(shape, dtype=np.int64) * kind.itemsize:
        raise DatasetInvalid(
            f"{path} holds {(len(data) - start) // kind.itemsize} values, its header says {shape}; delete it, so that "
            "it is downloaded again."
        )
    values = np.frombuffer(data, kind, offset=start).reshape(shape)
    return values if data[2] == UNSIGNED_BYTE else values.astype(np.int32)


def write_idx(path: Path, values: Labels) -> None:
    """Write an array of unsigned bytes, or other integers as 16-bit ones, of any shape up to 255 dimensions."""
    path.write_bytes(idx_header(values) + _stored(values).tobytes())


def _stored(values: Labels) -> Labels:
    return values if values.dtype == np.uint8 else values.astype(">i2")


def idx_header(values: Labels) -> bytes:
    """The header of the file for these values."""
    kind = UNSIGNED_BYTE if values.dtype == np.uint8 else SHORT
    return bytes([0, 0, kind, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
