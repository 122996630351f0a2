"""Real images as people upload them, small enough that a test imports them in a moment."""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.data.datasets import Dataset, write_idx
from tenfold.trainer.data.files import FILES
from tenfold.worker.services import Services
from tenfold.worker.uploads.upload import Upload

HEADER = ",".join(["label", *(f"pixel{index}" for index in range(784))])


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def class_folders(
    dataset: Dataset, names: Mapping[int, str], images: int, others: Mapping[str, bytes] | None = None
) -> bytes:
    """The first training images of the named digits as PNGs in a folder for each class, and other files."""
    files = dict(others or {})
    for index in range(images):
        name = names.get(int(dataset.train_labels[index]))
        if name is not None:
            buffer = io.BytesIO()
            Image.fromarray(dataset.train_images[index]).save(buffer, "png")
            files[f"{name}/{index:05d}.png"] = buffer.getvalue()
    return zipped(files)


def csv_of(dataset: Dataset, images: int) -> bytes:
    rows = [
        f"{label},{','.join(map(str, image.ravel().tolist()))}"
        for image, label in zip(dataset.train_images[:images], dataset.train_labels[:images], strict=True)
    ]
    return "\n".join([HEADER, *rows]).encode()


def idx_zip(dataset: Dataset) -> bytes:
    """MNIST's four files."""
    arrays = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    return zipped({name: packed_idx(values) for name, values in zip(FILES, arrays, strict=True)})


def packed_idx(values: Bytes) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "values"
        write_idx(path, values)
        return path.read_bytes()


def received(services: Services, content: bytes, name: str = "letters.zip") -> Upload:
    """An upload as the web hands it over."""
    digest = hashlib.sha256(content).hexdigest()
    path = services.volume.uploads / f"{digest}.part"
    path.write_bytes(content)
    return Upload(path, name, len(content), digest)
