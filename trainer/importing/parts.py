"""Puts the parts that a file names together: training, validation and test images."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trainer.errors import DatasetInvalid
from trainer.importing.found import Found, Part
from trainer.importing.transposed import look_transposed
from trainer.naming import splits

NamedPart = tuple[str, splits.Part | None, Part]


def put_together(parts: Sequence[NamedPart], *, is_transposed: bool = False) -> Found:
    """The data set of these parts. Validation images are for the test where nothing else is, else for training.

    Where images are stored with rows and columns exchanged, those of all parts are set upright, and it is told.

    Args:
        parts: what each is called in the file, which part the name means, and the part.
        is_transposed: it is known that the images are stored so; else it is told by the largest part.

    Raises:
        DatasetInvalid: images that belong together have different sizes.
    """
    for_test = splits.part_for_test({meant for _, meant, _ in parts})
    test = [part for _, meant, part in parts if for_test is not None and meant is for_test]
    train = [part for _, meant, part in parts if for_test is None or meant is not for_test]
    names = defaultdict[splits.Part, list[str]](list)
    for name, meant, _ in parts:
        if meant is not None:
            names[meant].append(name)
    found = Found(_joined(train), _joined(test) if test else None, told=[splits.tell_split(names)])
    largest = max((part for _, _, part in parts), key=lambda part: len(part.images))
    if is_transposed:
        told = "The file stores its images with rows and columns exchanged, as EMNIST does; they were set upright."
        return replace(_upright(found), told=[*found.told, told])
    if look_transposed(largest.images, largest.labels):
        note = "The images looked as if rows and columns were exchanged, as EMNIST's are; they were set upright."
        return replace(_upright(found), notes=[note])
    return found


def _upright(found: Found) -> Found:
    train, test = (
        part and replace(part, images=np.ascontiguousarray(part.images.transpose(0, 2, 1)))
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
