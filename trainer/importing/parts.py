"""Puts the parts that a file names together: training, validation and test images."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from trainer.errors import DatasetInvalid
from trainer.importing.found import Found, Part
from trainer.naming import splits


def put_together(parts: Sequence[tuple[str, splits.Part | None, Part]]) -> Found:
    """The data set of these parts. Validation images are for the test where nothing else is, else for training.

    Args:
        parts: what each is called in the file, which part the name means, and the part.

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
    told = [splits.tell_split(names)]
    return Found(_joined(train), _joined(test) if test else None, told=told)


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
