"""How a data set lies on the volume: a folder with the four IDX files of MNIST's layout, and what else may be there.

Reads only what is small, and needs no NumPy: the web reads this too.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from trainer.errors import DatasetInvalid

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

# What the classes are called, how a picture becomes an image of it (`input`), and the import's report. A data set
# without this file is one of digits.
ABOUT = "about.json"

# The picture of a data set, for people.
PREVIEW = "preview.png"

DIGITS = tuple("0123456789")

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

_UNSIGNED_BYTE = 0x08


def read_about(directory: Path) -> dict[str, Any]:
    """What `about.json` says: `class_names`, `input` (`trainer.input_spec`) where it is known, and `report` where the
    data set was imported.

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
        raise DatasetInvalid(f"{about} has the class names {names!r}; expected a list of text. Import it again.")
    return dict(found)


def count_values(path: Path) -> int:
    """How many images or labels an IDX file holds, by its header and its size.

    Raises:
        DatasetInvalid: it is no IDX file of unsigned bytes, or is longer or shorter than its header says.
    """
    with path.open("rb") as file:
        start = file.read(4)
        dimensions = start[3] if len(start) == 4 else 0
        header = file.read(4 * dimensions)
        size = file.seek(0, 2)
    shape = [int.from_bytes(header[at : at + 4], "big") for at in range(0, len(header), 4)]
    if start[:3] != bytes([0, 0, _UNSIGNED_BYTE]) or not dimensions or len(shape) != dimensions:
        raise DatasetInvalid(f"{path} is no IDX file of unsigned bytes. Remove the data set, and make it again.")
    if size != len(start) + len(header) + math.prod(shape):
        raise DatasetInvalid(f"{path} is not as long as its header says. Remove the data set, and make it again.")
    return shape[0]


def count_labels(path: Path, classes: int) -> list[int]:
    """How many labels an IDX file has of each class."""
    labels = path.read_bytes()[8:]
    return [labels.count(label) for label in range(classes)]
