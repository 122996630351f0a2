"""The files of a data set on the volume: a folder with four IDX files as MNIST has them, and metadata.

Reads only small files, and uses no NumPy, so that the web can use it too.
"""

import json
import math
import re
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tenfold.trainer.errors import DatasetInvalid

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

# Has `class_names`, `input` (how images are converted to its format) and the import's `report`. Without this file the
# classes are the digits.
ABOUT = "about.json"

# A picture of sample images, for people.
PREVIEW = "preview.png"

DIGITS = tuple("0123456789")

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

# An IDX file's code of unsigned bytes, and that of 16-bit integers, which hold the labels of more than 256 classes.
UNSIGNED_BYTE, SHORT = 0x08, 0x0B
_ITEM_BYTES = {UNSIGNED_BYTE: 1, SHORT: 2}


def read_about(directory: Path) -> dict[str, Any]:
    """The content of `about.json`: `class_names`; for imported data sets also `input` (`InputSpec`) and `report`.

    Raises:
        DatasetInvalid: the file is damaged.
    """
    about = directory / ABOUT
    if not about.exists():
        return {"class_names": list(DIGITS)}
    try:
        found = json.loads(about.read_bytes())
        names = found["class_names"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetInvalid(f"{about} is damaged ({error!r}); import the data set again.") from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DatasetInvalid(
            f"{about} has the class names {names!r}; expected a list of strings. Import the data set again."
        )
    return dict(found)


def written_about(about: Mapping[str, Any]) -> bytes:
    """The content of `about.json`."""
    return (json.dumps(about, ensure_ascii=False, indent=1) + "\n").encode()


def count_values(path: Path) -> int:
    """The number of images or labels in an IDX file, by its header and size.

    Raises:
        DatasetInvalid: it is not such an IDX file, or its size differs from its header.
    """
    with path.open("rb") as file:
        start = file.read(4)
        dimensions = start[3] if len(start) == 4 else 0
        header = file.read(4 * dimensions)
        size = file.seek(0, 2)
    shape = [int.from_bytes(header[at : at + 4], "big") for at in range(0, len(header), 4)]
    item_bytes = _ITEM_BYTES.get(start[2]) if len(start) == 4 and start[:2] == b"\0\0" else None
    if not item_bytes or not dimensions or len(shape) != dimensions:
        raise DatasetInvalid(
            f"{path} is not an IDX file of images or labels. Delete the data set, and import it again."
        )
    if size != len(start) + len(header) + math.prod(shape) * item_bytes:
        raise DatasetInvalid(f"{path} has another size than its header says. Delete the data set, and import it again.")
    return shape[0]


def read_labels(path: Path) -> Sequence[int]:
    """The labels in an IDX file."""
    data = path.read_bytes()
    labels = array("B" if data[2] == UNSIGNED_BYTE else "h", data[8:])
    if data[2] == SHORT and sys.byteorder == "little":
        labels.byteswap()
    return labels


def count_labels(path: Path, classes: int) -> list[int]:
    """The number of labels of each class in an IDX file."""
    counts = Counter(read_labels(path))
    return [counts[label] for label in range(classes)]
