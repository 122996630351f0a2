"""Flags images whose answer needs review, whatever its confidence."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from tenfold.trainer.images.normalization import Normalized

Quality = Literal["blank", "multiple_digits", "lines", "out_of_distribution"]

# Fewer than 1 in 200 of a model's test images have a higher novelty.
MAX_FAMILIAR = 1.0


def qualities(images: Sequence[Normalized], novelty: npt.NDArray[np.float32] | None) -> list[Quality | None]:
    """For each image the first flag that applies, or None.

    Args:
        novelty: (n,) from `tenfold.trainer.evaluation.novelty`; None if the model has no detector.
    """
    found: list[Quality | None] = [None] * len(images)
    if novelty is not None:
        for unfamiliar in np.flatnonzero(novelty > MAX_FAMILIAR):
            found[unfamiliar] = "out_of_distribution"
    for place, image in enumerate(images):
        if image.blank:
            found[place] = "blank"
        elif image.pieces > 1:
            found[place] = "multiple_digits"
        elif image.unclear_lines:
            found[place] = "lines"
    return found
