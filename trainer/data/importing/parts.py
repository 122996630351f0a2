"""Combines the parts of a file, training, validation and test images, to a data set."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tenfold.trainer.data.importing.found import Array, Found, Part
from tenfold.trainer.data.importing.labels import to_labels
from tenfold.trainer.errors import DatasetInvalid
from tenfold.trainer.files import splits

NamedPart = tuple[str, splits.Part | None, Part]


def put_together(parts: Sequence[NamedPart], *, is_transposed: bool = False) -> Found:
    """Combine parts to a data set. Validation images become test images if there are none, else training images.

    If the images seem to be stored transposed, they are transposed back, with a warning.

    Args:
        parts: each one's name in the file, the part that the name means, and its content.
        is_transposed: whether the images are known to be transposed; else the largest part is examined.

    Raises:
        DatasetInvalid: the parts' images have different sizes.
    """
    for_test = splits.part_for_test({meant for _, meant, _ in parts})
    test = [part for _, meant, part in parts if for_test is not None and meant is for_test]
    train = [part for _, meant, part in parts if for_test is None or meant is not for_test]
    names = defaultdict[splits.Part, list[str]](list)
    for name, meant, _ in parts:
        if meant is not None:
            names[meant].append(name)
    found = Found(_joined(train), _joined(test) if test else None, notes=[splits.tell_split(names)])
    largest = max((part for _, _, part in parts), key=lambda part: len(part.images))
    if is_transposed:
        note = "The file stores its images transposed, as EMNIST does; they were transposed back."
        return replace(_upright(found), notes=[*found.notes, note])
    if look_transposed(largest.images, largest.labels):
        warning = "The images seemed to be transposed, as EMNIST's are; they were transposed back."
        return replace(_upright(found), warnings=[warning])
    return found


def _upright(found: Found) -> Found:
    train, test = (
        part and replace(part, images=np.ascontiguousarray(part.images.swapaxes(1, 2)))
        for part in (found.train, found.test)
    )
    assert train is not None
    return replace(found, train=train, test=test)


def _joined(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    shapes = {part.images.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise DatasetInvalid(
            f"The parts have images of different sizes: {', '.join(map(str, sorted(shapes)))}. Store them in one size."
        )
    labels = [part.labels for part in parts]
    if len({values.dtype.kind for values in labels}) > 1:
        labels = [values.astype(np.str_) for values in labels]
    return Part(np.concatenate([part.images for part in parts]), np.concatenate(labels))


INK = 64
SAMPLE = 2000
MIN_IMAGES = 50

# The share of the images, among those not as wide as high, that must be wider. Of MNIST's training images it is 10 %,
# and of transposed ones 90 %.
WIDER = 0.75

# Characters have labels up to this; so do clothes, so the images must also look like characters: ink in a box of 20
# pixels, in EMNIST 18 to 26.
MAX_LABEL = 61
BOX = (18, 26)


def look_transposed(images: Array, labels: Array) -> bool:
    """Whether most characters are wider than high: characters of all scripts in data sets like MNIST are higher.

    Args:
        images: (n, 28, 28) of 0–255; for other shapes the answer is no.
        labels: (n,) integers; for other labels the answer is no.
    """
    wider = _wider(images, labels)
    return wider is not None and wider >= WIDER


def look_upright(images: Array, labels: Array) -> bool:
    """Whether most characters are higher than wide; see `look_transposed`."""
    wider = _wider(images, labels)
    return wider is not None and wider <= 1 - WIDER


def _wider(images: Array, labels: Array) -> float | None:
    """The share of characters that are wider than high, of those that aren't square; None if it can't be told."""
    if (
        images.ndim != 3
        or images.shape[1:] != (28, 28)
        or images.dtype.kind not in "ui"
        or labels.dtype.kind not in "ui"
    ):
        return None
    if len(images) < MIN_IMAGES or not 0 <= int(labels.min()) <= int(to_labels(labels, "labels").max()) <= MAX_LABEL:
        return None
    ink = images[:SAMPLE] >= INK
    height, width = (_extent(np.asarray(ink.any(axis=axis))) for axis in (2, 1))
    longer = np.maximum(height, width)
    characters = (longer >= BOX[0]) & (longer <= BOX[1])
    if characters.mean() < WIDER:
        return None
    uneven = characters & (np.abs(height - width) >= 2)
    return float((width > height)[uneven].mean()) if uneven.sum() >= MIN_IMAGES / 2 else None


def _extent(inked: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """The distance from the first to the last line with ink; `inked` is (n, lines)."""
    first, last = inked.argmax(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1)
    return np.where(inked.any(axis=1), last - first, 0)
