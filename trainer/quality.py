"""What is wrong with an image that has an answer all the same: a reason to look at it before the answer is used."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from trainer.normalisation import Normalised

Quality = Literal["blank", "several digits", "lines", "like no class"]

# A novelty above this is rarer than 1 in 200 among the images that a model was tested on.
MOST_FAMILIAR = 1.0


def qualities(images: Sequence[Normalised], novelty: npt.NDArray[np.float32] | None) -> list[Quality | None]:
    """For each image the first that applies, None where nothing is wrong.

    Args:
        novelty: (n,) of the images, where it was measured (`trainer.novelty`).
    """
    found: list[Quality | None] = [None] * len(images)
    if novelty is not None:
        for unfamiliar in np.flatnonzero(novelty > MOST_FAMILIAR):
            found[unfamiliar] = "like no class"
    for place, image in enumerate(images):
        if image.blank:
            found[place] = "blank"
        elif image.pieces > 1:
            found[place] = "several digits"
        elif image.unclear_lines:
            found[place] = "lines"
    return found
