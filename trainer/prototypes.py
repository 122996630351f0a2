"""How novel an image is to a model that an earlier release trained, by the prototypes that lie in its `novelty.npz`.

An image is made coarse (7×7) and compared, by the angle between the two, with means of the training images. Newer
models have `trainer.novelty`, which finds more; these are kept so that what was flagged once still is.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from trainer.idx import Bytes

Values = npt.NDArray[np.float32]

SIDE, COARSE_SIDE = 28, 7

# So that nothing is divided by 0: lengths of pictures without ink.
EPSILON = 1e-6


@dataclass(frozen=True)
class Prototypes:
    """`prototypes` (n, 49) float32 of length 1; `limit` is the distance, 1 - cosine, that scores 1."""

    prototypes: Values
    limit: float

    def score(self, images: Bytes, predicted: npt.NDArray[np.integer]) -> Values:
        """(n,) float32 from 0 for (n, 28, 28) uint8 images; above 1 an image is like none of the training images."""
        nearest = (_coarse(images) @ self.prototypes.T).max(axis=1)
        return np.asarray((1 - nearest) / self.limit, np.float32)


def _coarse(images: Bytes) -> Values:
    """(n, 49) of length 1: the averages of each 4×4 square. The images lie below each other, as one, for OpenCV."""
    if not len(images):
        return np.zeros((0, COARSE_SIDE**2), np.float32)
    strip = images.reshape(-1, SIDE).astype(np.float32)
    averages = cv2.resize(strip, (COARSE_SIDE, len(images) * COARSE_SIDE), interpolation=cv2.INTER_AREA)
    points = np.asarray(averages, np.float32).reshape(-1, COARSE_SIDE**2)
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), EPSILON), np.float32)
